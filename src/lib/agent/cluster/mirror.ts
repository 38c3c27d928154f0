import { setTimeout as delay } from 'node:timers/promises';
import { ClusterError } from '../../errors.js';
import type { InferenceServiceResource, Kind, ModelResource, ResourceOf } from '../../kube/client/api.js';
import type { KubeClient } from '../../kube/client/client.js';
import type { Known } from '../core/desired.js';

export interface MirrorOptions {
  /** Unset = all namespaces. */
  readonly namespace: string | undefined;
  readonly signal: AbortSignal;
  /** Something about a service, or about the Model of this name, is new. */
  readonly onService: (key: string) => void;
  readonly onModel: (key: string) => void;
  /** The cluster stopped answering, or answers again. */
  readonly onReachable: (error: ClusterError | undefined) => void;
  /** Everything is known for the first time. */
  readonly onSynced: () => void;
  /** Services that run here: missing from a list, they are asked for by name before they count as gone. */
  readonly isOurs: (key: string) => boolean;
  readonly retryMs?: number;
}

const WATCH_QUERY = { allowWatchBookmarks: 'true', timeoutSeconds: '300' };
/** A connection that has outlived the watch that the server was asked for is dead. */
const LONGEST_WATCH_MS = 330_000;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

/** `namespace/name`. */
export function keyOf({
  metadata,
}: {
  readonly metadata: { readonly namespace: string; readonly name: string };
}): string {
  return `${metadata.namespace}/${metadata.name}`;
}

interface Copy<K extends Kind> {
  readonly objects: Map<string, ResourceOf<K>>;
  synced: boolean;
}

/**
 * What the cluster has of Models and InferenceServices, by list and watch. While the cluster does not answer, what was
 * known stays.
 */
export class Mirror {
  readonly #services: Copy<'InferenceService'> = { objects: new Map(), synced: false };
  readonly #models: Copy<'Model'> = { objects: new Map(), synced: false };
  readonly #failing = new Set<Kind>();
  /** Since when the cluster answers without a break, by `performance.now()`; Infinity while it does not. */
  connectedSinceMs = Infinity;
  watchFailures = 0;

  constructor(
    private readonly client: KubeClient,
    private readonly options: MirrorOptions,
  ) {}

  /** Ends with the signal. */
  async run(): Promise<void> {
    await Promise.all([
      this.#follow('InferenceService', this.#services, this.options.onService),
      this.#follow('Model', this.#models, this.options.onModel),
    ]);
  }

  get synced(): boolean {
    return this.#services.synced && this.#models.synced;
  }

  get reachable(): boolean {
    return this.synced && this.#failing.size === 0;
  }

  service(key: string): Known<InferenceServiceResource> {
    return known(this.#services, key, isBeingDeleted);
  }

  model(key: string): Known<ModelResource> {
    return known(this.#models, key);
  }

  services(): readonly InferenceServiceResource[] {
    return [...this.#services.objects.values()];
  }

  models(): readonly ModelResource[] {
    return [...this.#models.objects.values()];
  }

  /** An object as a write has returned it, before the watch tells. */
  note(service: InferenceServiceResource): void {
    const before = this.#services.objects.get(keyOf(service));
    if (before !== undefined) this.#services.objects.set(keyOf(service), slim(service));
  }

  async #follow<K extends Kind>(kind: K, copy: Copy<K>, onChange: (key: string) => void): Promise<void> {
    const { signal, namespace, retryMs = RETRY_MS } = this.options;
    let version: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (version === undefined) {
          version = await this.#list(kind, copy, onChange);
          this.#answers(kind);
        }
        for await (const event of this.#watch(kind, namespace, version)) {
          failures = 0;
          this.#answers(kind);
          version = ('object' in event ? event.object.metadata.resourceVersion : event.version) ?? version;
          const key = 'object' in event ? keyOf(event.object) : `${event.namespace ?? ''}/${event.name ?? ''}`;
          if ('object' in event) copy.objects.set(key, slim(event.object));
          if (event.type === 'DELETED') copy.objects.delete(key);
          if (event.type !== 'BOOKMARK') onChange(key);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ClusterError)) throw error;
        // Only a list says for sure that the cluster answers again.
        if (error.code !== 'INTERRUPTED') version = undefined;
        if (!['EXPIRED', 'INTERRUPTED'].includes(error.code)) this.#fails(kind, error);
        failures += 1;
      }
      const longest = Math.min(LONGEST_RETRY_MS, retryMs * 2 ** Math.min(failures, 10));
      if (failures > 0) await delay(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  async *#watch<K extends Kind>(kind: K, namespace: string | undefined, resourceVersion: string) {
    const controller = new AbortController();
    const abort = (): void => controller.abort();
    const timer = setTimeout(abort, LONGEST_WATCH_MS);
    this.options.signal.addEventListener('abort', abort, { once: true });
    try {
      yield* this.client.watch({ kind, namespace }, { ...WATCH_QUERY, resourceVersion }, controller.signal);
    } finally {
      clearTimeout(timer);
      this.options.signal.removeEventListener('abort', abort);
    }
  }

  async #list<K extends Kind>(kind: K, copy: Copy<K>, onChange: (key: string) => void): Promise<string> {
    const { items, version } = await this.client.listWithVersion(kind, this.options.namespace);
    const listed = new Map(items.map((item) => [keyOf(item), item]));
    for (const key of copy.objects.keys()) {
      if (listed.has(key)) continue;
      const [namespace = '', name = ''] = key.split('/');
      const still = this.options.isOurs(key) ? await this.client.get({ kind, namespace, name }) : undefined;
      if (still === undefined) copy.objects.delete(key);
      else copy.objects.set(key, slim(still));
      onChange(key);
    }
    for (const [key, item] of listed) {
      const isNew = copy.objects.get(key)?.metadata.resourceVersion !== item.metadata.resourceVersion;
      copy.objects.set(key, slim(item));
      if (isNew || !copy.synced) onChange(key);
    }
    const wasSynced = this.synced;
    copy.synced = true;
    if (!wasSynced && this.synced) this.options.onSynced();
    return version;
  }

  #answers(kind: Kind): void {
    const wasFailing = this.#failing.delete(kind);
    if (this.#failing.size > 0) return;
    if (this.connectedSinceMs === Infinity) this.connectedSinceMs = performance.now();
    this.watchFailures = 0;
    if (wasFailing) this.options.onReachable(undefined);
  }

  #fails(kind: Kind, error: ClusterError): void {
    this.watchFailures += 1;
    this.connectedSinceMs = Infinity;
    const isFirst = this.#failing.size === 0;
    this.#failing.add(kind);
    if (isFirst) this.options.onReachable(error);
  }
}

/** @param isEnough tells whether what was read of a partial object says all that matters */
function known<K extends Kind>(
  copy: Copy<K>,
  key: string,
  isEnough: (object: ResourceOf<K>) => boolean = () => false,
): Known<ResourceOf<K>> {
  const object = copy.objects.get(key);
  if (object === undefined) return copy.synced ? { kind: 'gone' } : { kind: 'unknown' };
  return object.partial === true && !isEnough(object) ? { kind: 'unknown' } : { kind: 'there', object };
}

function isBeingDeleted({ metadata }: InferenceServiceResource): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Who owns which field is half of an object, and nothing that is asked for here. */
function slim<T extends { readonly metadata: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}
