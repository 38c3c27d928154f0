import type { KubeConfig } from '@kubernetes/client-node';
import {
  API_GROUP,
  API_VERSION,
  FIELD_MANAGER,
  RESOURCE_OF_KIND,
  type AnyResource,
  type Kind,
  type ManagedFieldsEntry,
  type ResourceOf,
} from './api.js';
import { isMissingObject, statusError, type ApiCall } from './status-errors.js';
import type { ExecCredentials } from './exec-credentials.js';
import { loadKubeConfig, type ClusterChoice } from './kubeconfig.js';
import { watchEventOf, type ListPage } from './answers/large-objects.js';
import { listPages } from './answers/list-pages.js';
import { ObjectCalls } from './object-calls.js';
import { asResource, wrongShape } from './resource-shape.js';
import { Transport, type Answer } from './transport.js';

export interface ObjectRef<K extends Kind = Kind> {
  readonly kind: K;
  readonly namespace: string;
  readonly name: string;
}

export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** Take over fields that others own. */
  readonly force?: boolean;
}

export interface ClientOptions extends ClusterChoice {
  /** Values that no message may repeat, such as those of `--env`. */
  readonly secrets?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  /** For one call with its answer, in milliseconds. */
  readonly timeoutMs?: number | undefined;
}

export interface DeleteOptions {
  /** Deletes only this very object, not a later one of the same name. */
  readonly uid?: string | undefined;
  /** Clean-up goes on after Ctrl-C. */
  readonly evenIfAborted?: boolean;
}

/** What a watch tells: how an object is now, that it is gone, or only from which version to go on. */
export type WatchEvent<K extends Kind = Kind> =
  | { readonly type: 'ADDED' | 'MODIFIED'; readonly object: ResourceOf<K> }
  | {
      readonly type: 'DELETED' | 'BOOKMARK';
      readonly version: string | undefined;
      readonly namespace: string | undefined;
      readonly name: string | undefined;
    };

/** One object, or without a name all of a kind; without a namespace in all of them. */
export interface WatchRef<K extends Kind = Kind> {
  readonly kind: K;
  readonly namespace: string | undefined;
  readonly name?: string;
}

export interface ListedResources<K extends Kind> {
  readonly items: ResourceOf<K>[];
  readonly version: string;
}

/** Opens no connection: the first request does. @throws ClusterError when the kubeconfig is not usable */
export async function connect(options: ClientOptions): Promise<KubeClient> {
  const { config, plugin } = await loadKubeConfig(options);
  return new KubeClient(config, { ...options, plugin });
}

/** The few calls that Models and InferenceServices need. All throw ClusterError. */
export class KubeClient {
  /** The namespace that the kubeconfig's context names. */
  readonly contextNamespace: string | undefined;
  readonly #transport: Transport;
  readonly #signal: AbortSignal | undefined;

  constructor(
    config: KubeConfig,
    { secrets = [], ...options }: Omit<ClientOptions, keyof ClusterChoice> & { plugin?: ExecCredentials | undefined },
  ) {
    this.#transport = new Transport(config, secrets, options);
    this.#signal = options.signal;
    this.contextNamespace = config.getContextObject(config.getCurrentContext())?.namespace;
  }

  get server(): string {
    return this.#transport.server;
  }

  /** @returns undefined when the kind is served but there is no such object */
  async get<K extends Kind>(ref: ObjectRef<K>, signal = this.#signal): Promise<ResourceOf<K> | undefined> {
    const answer = await this.#transport.send({ method: 'GET', path: pathOf(ref), signal });
    const found = this.#unlessMissing({ verb: 'get', ...ref }, answer);
    return found === undefined ? undefined : this.#resource(ref.kind, found);
  }

  /** Objects of kinds that are not LLMKube's. */
  get objects(): ObjectCalls {
    return new ObjectCalls(this.#transport, this.#signal);
  }

  /** @param namespace undefined = all namespaces */
  async list<K extends Kind>(kind: K, namespace: string | undefined): Promise<ResourceOf<K>[]> {
    return (await this.listWithVersion(kind, namespace)).items;
  }

  /** With the version that a watch can go on from. @param namespace undefined = all namespaces */
  async listWithVersion<K extends Kind>(kind: K, namespace: string | undefined): Promise<ListedResources<K>> {
    const items: ResourceOf<K>[] = [];
    let version = '';
    for await (const page of this.#pages(kind, namespace)) {
      for (const item of page.items) items.push(this.#resource(kind, item));
      version = page.version;
    }
    return { items, version };
  }

  #pages(kind: Kind, namespace: string | undefined): AsyncGenerator<ListPage> {
    const path = collectionPath(kind, namespace);
    const plural = RESOURCE_OF_KIND[kind];
    const ask = async (query: Readonly<Record<string, string>>): Promise<string> => {
      const answer = await this.#transport.send({ method: 'GET', path, query, signal: this.#signal });
      return this.#successful({ verb: 'list', kind, namespace }, answer).text;
    };
    return listPages(ask, {
      noItems: (text) => {
        this.#transport.parsed(text);
        return this.#transport.unexpected(`sends a list of ${plural} without items`);
      },
      withoutEnd: () => this.#transport.unexpected(`sends a list of ${plural} without end`),
    });
  }

  /** Server-side apply as `llmkube`. Fields that the API does not know are refused, not dropped. */
  async apply<T extends AnyResource>(resource: T, { dryRun, force }: ApplyOptions = {}): Promise<T> {
    const query = {
      fieldManager: FIELD_MANAGER,
      fieldValidation: 'Strict',
      ...(force && { force: 'true' }),
      ...(dryRun && { dryRun: 'All' }),
    };
    return (await this.#patch(resource, query, resource, 'application/apply-patch+yaml')) as T;
  }

  /**
   * Replaces the list of who owns which field, unless the object has changed since it was read: what Kubernetes' own
   * clients do when they move to server-side apply (`csaupgrade` of client-go).
   */
  async replaceManagedFields(resource: AnyResource, managedFields: readonly ManagedFieldsEntry[]): Promise<void> {
    const patch = [
      { op: 'replace', path: '/metadata/managedFields', value: managedFields },
      { op: 'replace', path: '/metadata/resourceVersion', value: resource.metadata.resourceVersion },
    ];
    await this.#patch(resource, { fieldManager: FIELD_MANAGER }, patch, 'application/json-patch+json');
  }

  /** @returns false when it was not there */
  async delete(ref: ObjectRef, { uid, evenIfAborted = false }: DeleteOptions = {}): Promise<boolean> {
    const answer = await this.#transport.send({
      method: 'DELETE',
      path: pathOf(ref),
      body: JSON.stringify(uid === undefined ? {} : { preconditions: { uid } }),
      contentType: 'application/json',
      signal: evenIfAborted ? undefined : this.#signal,
    });
    return this.#unlessMissing({ verb: 'delete', ...ref }, answer) !== undefined;
  }

  /** The events of one watch connection, until the server ends it: of one object, or of all of a kind. */
  async *watch<K extends Kind>(
    ref: WatchRef<K>,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<K>> {
    const call = { verb: 'watch', ...ref } as const;
    const stream = await this.#transport.stream({
      method: 'GET',
      path: collectionPath(ref.kind, ref.namespace),
      query: {
        ...query,
        ...(ref.name !== undefined && { fieldSelector: `metadata.name=${ref.name}` }),
        watch: 'true',
      },
      signal,
    });
    if ('code' in stream) throw statusError(call, this.#transport.status(stream), this.server);
    for await (const line of stream) yield this.#watchEvent(call, line);
  }

  #watchEvent<K extends Kind>(call: ApiCall & WatchRef<K>, text: string): WatchEvent<K> {
    const { type, object } = watchEventOf(text) ?? {};
    if (typeof object !== 'object' || object === null) {
      this.#transport.parsed(text);
      throw this.#transport.unexpected('sends a watch event without an object');
    }
    if (type === 'ERROR') {
      const { code } = object as { code?: unknown };
      const failed = {
        ok: false,
        code: typeof code === 'number' ? code : 500,
        statusText: '',
        text: JSON.stringify(object),
      };
      throw statusError(call, this.#transport.status(failed), this.server);
    }
    if (type === 'ADDED' || type === 'MODIFIED') return { type, object: this.#resource(call.kind, object) };
    const metadata = (object as { metadata?: Readonly<Record<string, unknown>> | null }).metadata ?? {};
    const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
    return {
      type: type === 'DELETED' ? 'DELETED' : 'BOOKMARK',
      version: textOf(metadata.resourceVersion),
      namespace: textOf(metadata.namespace),
      name: textOf(metadata.name),
    };
  }

  async #patch(
    resource: AnyResource,
    query: Readonly<Record<string, string>>,
    body: unknown,
    contentType: string,
  ): Promise<AnyResource> {
    const { kind, metadata } = resource;
    const ref = { kind, namespace: metadata.namespace, name: metadata.name };
    const answer = await this.#transport.send({
      method: 'PATCH',
      path: pathOf(ref),
      query,
      body: JSON.stringify(body),
      contentType,
      signal: this.#signal,
    });
    return this.#resource(kind, this.#success({ verb: 'apply', ...ref }, answer));
  }

  #resource<K extends Kind>(kind: K, value: unknown): ResourceOf<K> {
    const problem = wrongShape(value);
    if (problem !== undefined)
      throw this.#transport.unexpected(`sends ${kind === 'Model' ? 'a' : 'an'} ${kind} whose ${problem}`);
    return asResource(kind, value);
  }

  #success(call: ApiCall, answer: Answer): unknown {
    return this.#transport.parsed(this.#successful(call, answer).text);
  }

  #successful(call: ApiCall, answer: Answer): Answer {
    if (answer.ok) return answer;
    throw statusError(call, this.#transport.status(answer), this.server);
  }

  #unlessMissing(call: ApiCall, answer: Answer): unknown {
    if (answer.ok) return this.#transport.parsed(answer.text);
    const status = this.#transport.status(answer);
    if (isMissingObject(call, status)) return undefined;
    throw statusError(call, status, this.server);
  }
}

function collectionPath(kind: Kind, namespace: string | undefined): string {
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${API_GROUP}/${API_VERSION}${scope}/${RESOURCE_OF_KIND[kind]}`;
}

function pathOf({ kind, namespace, name }: ObjectRef): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}
