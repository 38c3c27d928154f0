import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { mergePatch, serverSideApply, trackUpdate } from './kube-merge.js';
import type { KubeSchemas } from './kube-schema.js';
import { ApiFailure, omit, type Json, type JsonObject, type KubeObject, type ManagedFields } from './kube-types.js';

export interface Key {
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
}

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly plural: string;
  readonly version: number;
  readonly object: KubeObject;
}

interface WriteOptions {
  readonly dryRun: boolean;
  readonly strict?: boolean;
}

const GROUP = 'inference.llmkube.dev';
const FIRST_VERSION = 1000;

/** Objects with resource versions, generations, field owners and a history that watches read. */
export class KubeStore {
  readonly history: StoreEvent[] = [];
  /** Versions up to this one are no longer in the history. */
  compacted = 0;
  version = FIRST_VERSION;
  readonly #objects = new Map<string, KubeObject>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();

  constructor(readonly schemas: KubeSchemas) {}

  get(key: Key): KubeObject | undefined {
    return structuredClone(this.#objects.get(idOf(key)));
  }

  require(key: Key): KubeObject {
    const found = this.get(key);
    if (found) return found;
    const message = `${key.plural}.${GROUP} "${key.name}" not found`;
    throw new ApiFailure(404, 'NotFound', message, { name: key.name, group: GROUP, kind: key.plural });
  }

  list(plural: string, namespace: string | undefined): KubeObject[] {
    const prefix = namespace === undefined ? `${plural}/` : `${plural}/${namespace}/`;
    return [...this.#objects].filter(([id]) => id.startsWith(prefix)).map(([, object]) => structuredClone(object));
  }

  apply(key: Key, sent: KubeObject, manager: string, force: boolean, options: WriteOptions): KubeObject {
    const [unknown] = this.schemas.unknownFields(sent);
    if (unknown !== undefined) {
      const subject = `${key.namespace}/${key.name}; ${sent.apiVersion}, Kind=${sent.kind}`;
      throw new ApiFailure(
        500,
        '',
        `failed to create typed patch object (${subject}): ${unknown}: field not declared in schema`,
      );
    }
    const live = this.#objects.get(idOf(key));
    const result = serverSideApply(live, named(omit(sent, 'status'), key), manager, force, now());
    return this.#write(key, live, result, options);
  }

  create(key: Key, sent: KubeObject, manager: string, options: WriteOptions): KubeObject {
    const there = this.#objects.get(idOf(key));
    if (there !== undefined) {
      const details = { name: key.name, group: GROUP, kind: key.plural };
      const going = there.metadata.deletionTimestamp === undefined ? '' : 'object is being deleted: ';
      const message = `${going}${key.plural}.${GROUP} "${key.name}" already exists`;
      throw new ApiFailure(409, 'AlreadyExists', message, details);
    }
    const object: KubeObject = omit(named(sent, key), 'status');
    this.schemas.fillDefaults(object);
    trackUpdate(undefined, object, manager, undefined, now());
    return this.#write(key, undefined, object, options);
  }

  update(key: Key, sent: KubeObject, manager: string, options: WriteOptions): KubeObject {
    const live = this.require(key);
    const version = sent.metadata.resourceVersion;
    if (version !== undefined && version !== live.metadata.resourceVersion) {
      const message = `Operation cannot be fulfilled on ${key.plural}.${GROUP} "${key.name}": the object has been modified`;
      throw new ApiFailure(409, 'Conflict', message, { name: key.name, group: GROUP, kind: key.plural });
    }
    const object = { ...named(sent, key), ...(live.status && { status: live.status }) };
    this.schemas.fillDefaults(object);
    trackUpdate(live, object, manager, undefined, now());
    return this.#write(key, live, object, options);
  }

  patch(key: Key, patch: JsonObject, manager: string, options: WriteOptions): KubeObject {
    const merged = mergePatch(this.require(key) as unknown as Json, patch) as unknown as KubeObject;
    return this.update(key, merged, manager, options);
  }

  /** A JSON patch, as far as clients send one: to replace who owns which field. */
  jsonPatch(key: Key, operations: readonly { op: string; path: string; value: Json }[]): KubeObject {
    const live = this.require(key);
    const valueOf = (path: string): Json | undefined =>
      operations.find((operation) => operation.op === 'replace' && operation.path === path)?.value;
    if (valueOf('/metadata/resourceVersion') !== live.metadata.resourceVersion) {
      throw new ApiFailure(409, 'Conflict', 'the object has been modified');
    }
    const managedFields = valueOf('/metadata/managedFields') as unknown as ManagedFields[];
    return this.#write(key, live, { ...live, metadata: { ...live.metadata, managedFields } }, { dryRun: false });
  }

  /** The status subresource: nothing else changes, and the generation stays. */
  setStatus(key: Key, status: JsonObject, manager = 'manager'): KubeObject {
    const live = this.require(key);
    const object = { ...structuredClone(live), status };
    trackUpdate(live, object, manager, 'status', now());
    return this.#write(key, live, object, { dryRun: false });
  }

  delete(key: Key, uid?: string): KubeObject {
    const live = this.require(key);
    if (uid !== undefined && uid !== live.metadata.uid) {
      throw new ApiFailure(
        409,
        'Conflict',
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`,
      );
    }
    if ((live.metadata.finalizers ?? []).length > 0) {
      return this.#write(
        key,
        live,
        { ...live, metadata: { ...live.metadata, deletionTimestamp: now(), deletionGracePeriodSeconds: 0 } },
        { dryRun: false },
      );
    }
    this.#objects.delete(idOf(key));
    live.metadata.resourceVersion = String((this.version += 1));
    this.#publish({ type: 'DELETED', plural: key.plural, version: this.version, object: live });
    return live;
  }

  /** Forgets the history, as etcd does after some minutes. */
  compact(): void {
    this.version += 1;
    this.compacted = this.version;
    this.history.length = 0;
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #write(
    key: Key,
    live: KubeObject | undefined,
    object: KubeObject,
    { dryRun, strict = true }: WriteOptions,
  ): KubeObject {
    const unknown = this.schemas.unknownFields(object);
    if (unknown.length > 0 && strict) {
      const fields = unknown.map((field) => `unknown field "${field.slice(1)}"`).join(', ');
      throw new ApiFailure(
        400,
        'BadRequest',
        `${object.kind} in version "v1alpha1" cannot be handled as a ${object.kind}: strict decoding error: ${fields}`,
      );
    }
    this.schemas.fillDefaults(object);
    this.schemas.validate(object);
    const { metadata } = object;
    metadata.uid ??= randomUUID();
    metadata.creationTimestamp ??= now();
    metadata.generation = nextGeneration(live, object);
    if (live !== undefined && isDeepStrictEqual(comparable(live), comparable(object))) return structuredClone(live);
    if (dryRun) return object;
    metadata.resourceVersion = String((this.version += 1));
    this.#objects.set(idOf(key), structuredClone(object));
    this.#publish({ type: live ? 'MODIFIED' : 'ADDED', plural: key.plural, version: this.version, object });
    return structuredClone(object);
  }

  #publish(event: StoreEvent): void {
    this.history.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}

function nextGeneration(live: KubeObject | undefined, object: KubeObject): number {
  if (live === undefined) return 1;
  const generation = live.metadata.generation ?? 1;
  const isGoing = live.metadata.deletionTimestamp === undefined && object.metadata.deletionTimestamp !== undefined;
  return isDeepStrictEqual(live.spec, object.spec) && !isGoing ? generation : generation + 1;
}

function comparable(object: KubeObject): unknown {
  return JSON.parse(JSON.stringify({ ...object, metadata: omit(object.metadata, 'resourceVersion') }));
}

function named(object: KubeObject, { namespace, name }: Key): KubeObject {
  return { ...structuredClone(object), metadata: { ...structuredClone(object.metadata), namespace, name } };
}

function idOf({ plural, namespace, name }: Key): string {
  return `${plural}/${namespace}/${name}`;
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
