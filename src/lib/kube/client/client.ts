import type { KubeConfig } from '@kubernetes/client-node';
import type { Response } from 'node-fetch';
import {
  API_GROUP,
  API_VERSION,
  FIELD_MANAGER,
  RESOURCE_OF_KIND,
  type AnyResource,
  type Kind,
  type ResourceOf,
} from './api.js';
import { connectionError, interrupted } from './connection-errors.js';
import { isMissingObject, statusError, type ApiCall } from './errors.js';
import { loadKubeConfig, type ClusterChoice } from './kubeconfig.js';
import { Transport } from './transport.js';

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
}

export interface DeleteOptions {
  /** Deletes only this very object, not a later one of the same name. */
  readonly uid?: string | undefined;
  /** Clean-up goes on after Ctrl-C. */
  readonly evenIfAborted?: boolean;
}

const PAGE_SIZE = '500';

/** Opens no connection: the first request does. @throws ClusterError when the kubeconfig is not usable */
export async function connect(options: ClientOptions): Promise<KubeClient> {
  return new KubeClient(await loadKubeConfig(options), options);
}

/** The few calls that Models and InferenceServices need. All throw ClusterError. */
export class KubeClient {
  /** The namespace that the kubeconfig's context names. */
  readonly contextNamespace: string | undefined;
  readonly #transport: Transport;
  readonly #signal: AbortSignal | undefined;

  constructor(config: KubeConfig, { secrets = [], signal }: Pick<ClientOptions, 'secrets' | 'signal'>) {
    this.#transport = new Transport(config, secrets);
    this.#signal = signal;
    this.contextNamespace = config.getContextObject(config.getCurrentContext())?.namespace;
  }

  get server(): string {
    return this.#transport.server;
  }

  /** @returns undefined when the kind is served but there is no such object */
  async get<K extends Kind>(ref: ObjectRef<K>, signal = this.#signal): Promise<ResourceOf<K> | undefined> {
    const response = await this.#transport.send({ method: 'GET', path: pathOf(ref), signal });
    return (await this.#unlessMissing({ verb: 'get', ...ref }, response)) as ResourceOf<K> | undefined;
  }

  /** @param namespace undefined = all namespaces */
  async list<K extends Kind>(kind: K, namespace: string | undefined): Promise<ResourceOf<K>[]> {
    const items: ResourceOf<K>[] = [];
    let next = '';
    do {
      const query = { limit: PAGE_SIZE, ...(next !== '' && { continue: next }) };
      const path = collectionPath(kind, namespace);
      const response = await this.#transport.send({ method: 'GET', path, query, signal: this.#signal });
      const page = await this.#success({ verb: 'list', kind, namespace }, response);
      const { items: found, metadata } = page as { items: ResourceOf<K>[]; metadata?: { continue?: string } };
      items.push(...found);
      next = metadata?.continue ?? '';
    } while (next !== '');
    return items;
  }

  /** Server-side apply as `llmkube`. Fields that the API does not know are refused, not dropped. */
  async apply<T extends AnyResource>(resource: T, { dryRun, force }: ApplyOptions = {}): Promise<T> {
    const { name, namespace } = resource.metadata;
    const ref = { kind: resource.kind, namespace, name };
    const response = await this.#transport.send({
      method: 'PATCH',
      path: pathOf(ref),
      query: {
        fieldManager: FIELD_MANAGER,
        fieldValidation: 'Strict',
        ...(force && { force: 'true' }),
        ...(dryRun && { dryRun: 'All' }),
      },
      body: JSON.stringify(resource),
      contentType: 'application/apply-patch+yaml',
      signal: this.#signal,
    });
    return (await this.#success({ verb: 'apply', ...ref }, response)) as T;
  }

  /** @returns false when it was not there */
  async delete(ref: ObjectRef, { uid, evenIfAborted = false }: DeleteOptions = {}): Promise<boolean> {
    const response = await this.#transport.send({
      method: 'DELETE',
      path: pathOf(ref),
      body: JSON.stringify(uid === undefined ? {} : { preconditions: { uid } }),
      contentType: 'application/json',
      signal: evenIfAborted ? undefined : this.#signal,
    });
    return (await this.#unlessMissing({ verb: 'delete', ...ref }, response)) !== undefined;
  }

  /** The lines of one watch connection, until the server ends it. */
  async *watchLines(
    ref: ObjectRef,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const response = await this.#transport.send({
      method: 'GET',
      path: collectionPath(ref.kind, ref.namespace),
      query: { ...query, fieldSelector: `metadata.name=${ref.name}`, watch: 'true' },
      signal,
      streaming: true,
    });
    if (!response.ok) throw await this.#failure({ verb: 'watch', ...ref }, response);
    try {
      yield* lines(response.body as AsyncIterable<Buffer>);
    } catch (error) {
      throw signal.aborted ? interrupted() : connectionError(error, this.server);
    }
  }

  async #success(call: ApiCall, response: Response): Promise<unknown> {
    if (response.ok) return this.#transport.json(response);
    throw await this.#failure(call, response);
  }

  async #unlessMissing(call: ApiCall, response: Response): Promise<unknown> {
    if (response.ok) return this.#transport.json(response);
    const status = await this.#transport.status(response);
    if (isMissingObject(call, status)) return undefined;
    throw statusError(call, status, this.server);
  }

  async #failure(call: ApiCall, response: Response): Promise<Error> {
    return statusError(call, await this.#transport.status(response), this.server);
  }
}

function collectionPath(kind: Kind, namespace: string | undefined): string {
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${API_GROUP}/${API_VERSION}${scope}/${RESOURCE_OF_KIND[kind]}`;
}

function pathOf({ kind, namespace, name }: ObjectRef): string {
  return `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
}

async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of chunks) {
    const parts = (pending + decoder.decode(chunk, { stream: true })).split('\n');
    pending = parts.pop() ?? '';
    yield* parts.filter((line) => line.trim() !== '');
  }
}
