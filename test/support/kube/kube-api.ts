import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { load } from 'js-yaml';
import { discover, EMPTY_OPEN_API_V2, SERVED } from './kube-discovery.js';
import { KubeSchemas } from './kube-schema.js';
import { KubeStore, type Key } from './kube-store.js';
import { ApiFailure, type Json, type JsonObject, type KubeObject } from './kube-types.js';
import { OpenWatch } from './kube-watch.js';

export interface KubeApiOptions {
  /** Without it, nobody has to log in. */
  readonly token?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Absent CRDs: a cluster without LLMKube. */
  readonly crds?: boolean;
  /** Fields that an older operator does not know, such as `InferenceService.spec.skipModelInit`. */
  readonly withoutFields?: readonly string[];
  readonly namespaces?: readonly string[];
  /** Namespaces that are being deleted: nothing can be created in them. */
  readonly terminating?: readonly string[];
  /** An operator of 0.9.26 or later. */
  readonly knowsMemoryLimit?: boolean;
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

/** What goes wrong with the next requests that match. */
export interface Fault {
  readonly method?: string;
  readonly path?: RegExp;
  readonly watch?: boolean;
  readonly dryRun?: boolean;
  readonly times?: number;
  readonly failure?: ApiFailure;
  /** The connection is closed without an answer. */
  readonly drop?: boolean;
  /** An answer that no API server gives. */
  readonly html?: string;
  /** A redirect to the same path of another server. */
  readonly movedTo?: string;
  /** The request is taken and never answered. */
  readonly silent?: boolean;
  /** An answer of JSON that never ends. */
  readonly endless?: boolean;
  /** Whatever this is, as JSON. */
  readonly json?: Json;
}

interface Route extends Omit<Key, 'name' | 'namespace'> {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly status: boolean;
}

/** Behaves as a Kubernetes API server does for Models and InferenceServices, over HTTP on loopback. */
export class KubeApi {
  readonly requests: RecordedRequest[] = [];
  readonly store: KubeStore;
  readonly watches = new Set<OpenWatch>();
  readonly #faults: { fault: Fault; left: number }[] = [];
  readonly #server: Server;
  readonly #namespaces: Set<string>;

  private constructor(readonly options: KubeApiOptions) {
    this.store = new KubeStore(new KubeSchemas(options.withoutFields, options.knowsMemoryLimit));
    this.#namespaces = new Set(options.namespaces ?? ['default']);
    const handle = (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response);
    this.#server = options.tls ? createHttpsServer(options.tls, handle) : createHttpServer(handle);
  }

  static async start(options: KubeApiOptions = {}): Promise<KubeApi> {
    const api = new KubeApi(options);
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `${this.options.tls ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  inject(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Requests that changed or would have changed something. */
  get writes(): RecordedRequest[] {
    return this.requests.filter(({ method, query }) => method !== 'GET' && !query.has('dryRun'));
  }

  dropWatches(): void {
    for (const watch of this.watches) watch.drop();
  }

  async close(): Promise<void> {
    this.dropWatches();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    const { authorization } = request.headers;
    this.requests.push({ method, path: pathname, query: searchParams, authorization });
    try {
      const body = await readBody(request);
      const fault = this.#takeFault(method, pathname, searchParams);
      if (fault?.drop) return void request.socket.destroy();
      if (fault?.silent) return;
      if (fault?.movedTo !== undefined)
        return void response.writeHead(307, { location: `${fault.movedTo}${request.url}` }).end();
      if (fault?.endless) return sendWithoutEnd(response);
      if (fault?.json !== undefined) return send(response, 200, fault.json as JsonObject);
      if (fault?.html !== undefined)
        return void response.writeHead(200, { 'content-type': 'text/html' }).end(fault.html);
      if (fault?.failure) throw fault.failure;
      this.#authenticate(authorization);
      if (pathname === '/openapi/v2') return sendOpenApiV2(response);
      const route = parseRoute(pathname);
      if (route && searchParams.get('watch') === 'true') return this.#watch(route, searchParams, response);
      const answer =
        discover(pathname, this.store.schemas, this.options.crds !== false) ??
        this.#answer(method, route, pathname, searchParams, request, body);
      send(response, method === 'POST' ? 201 : 200, answer);
    } catch (error) {
      const failure = error instanceof ApiFailure ? error : new ApiFailure(500, 'InternalError', String(error));
      const { retryAfterSeconds } = failure.details;
      if (retryAfterSeconds !== undefined) response.setHeader('retry-after', String(retryAfterSeconds));
      send(response, failure.code, failure.toStatus());
    }
  }

  #answer(
    method: string,
    route: Route | undefined,
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
    body: string,
  ): JsonObject {
    const core = this.#coreObject(path);
    if (core) return core;
    if (route === undefined || this.options.crds === false) {
      throw new ApiFailure(404, 'NotFound', 'the server could not find the requested resource');
    }
    if (method === 'GET' && route.name === undefined) return this.#list(route);
    const object = this.#write(method, route, query, request, body);
    return object as unknown as JsonObject;
  }

  #write(method: string, route: Route, query: URLSearchParams, request: IncomingMessage, body: string): KubeObject {
    const sent = (body === '' ? {} : load(body)) as KubeObject & { preconditions?: { uid?: string } };
    const key: Key = { plural: route.plural, namespace: route.namespace ?? '', name: route.name ?? sent.metadata.name };
    if (method === 'GET') return this.store.require(key);
    if (method === 'DELETE') return this.store.delete(key, sent.preconditions?.uid);
    const manager =
      query.get('fieldManager') ?? (request.headers['user-agent'] ?? 'unknown').split('/')[0] ?? 'unknown';
    const options = { dryRun: query.get('dryRun') === 'All', strict: query.get('fieldValidation') !== 'Ignore' };
    if (route.status) return this.store.setStatus(key, sent.status ?? {}, manager);
    this.#requireNamespace(key);
    if (method === 'POST') return this.store.create(key, sent, manager, options);
    if (method === 'PUT') return this.store.update(key, sent, manager, options);
    const type = request.headers['content-type'] ?? '';
    if (type.startsWith('application/apply-patch')) {
      return this.store.apply(key, sent, manager, query.get('force') === 'true', options);
    }
    if (type.startsWith('application/json-patch')) {
      return this.store.jsonPatch(key, sent as unknown as Parameters<KubeStore['jsonPatch']>[1]);
    }
    if (type.startsWith('application/merge-patch'))
      return this.store.patch(key, sent as unknown as JsonObject, manager, options);
    throw new ApiFailure(415, 'UnsupportedMediaType', `the body of the request was in an unknown format: ${type}`);
  }

  #list({ plural, kind, namespace }: Route): JsonObject {
    const items = this.store.list(plural, namespace) as unknown as JsonObject[];
    const metadata = { resourceVersion: String(this.store.version) };
    return { kind: `${kind}List`, apiVersion: 'inference.llmkube.dev/v1alpha1', metadata, items };
  }

  #watch(route: Route, query: URLSearchParams, response: ServerResponse): void {
    const name = /^metadata\.name=(.+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
    const watch = new OpenWatch(response, this.store, {
      ...route,
      name,
      resourceVersion: query.get('resourceVersion') ?? undefined,
    });
    this.watches.add(watch);
    response.on('close', () => this.watches.delete(watch));
  }

  #authenticate(authorization: string | undefined): void {
    const { token } = this.options;
    if (token !== undefined && authorization !== `Bearer ${token}`)
      throw new ApiFailure(401, 'Unauthorized', 'Unauthorized');
  }

  #requireNamespace(key: Key): void {
    const { namespace } = key;
    if (this.options.terminating?.includes(namespace) && this.store.get(key) === undefined) {
      const message = `${key.plural}.inference.llmkube.dev "${key.name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`;
      const causes = [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ];
      throw new ApiFailure(403, 'Forbidden', message, { name: key.name, kind: key.plural, causes });
    }
    if (this.#namespaces.has(namespace)) return;
    throw new ApiFailure(404, 'NotFound', `namespaces "${namespace}" not found`, {
      name: namespace,
      kind: 'namespaces',
    });
  }

  #coreObject(path: string): JsonObject | undefined {
    if (/^\/api\/v1\/namespaces\/[^/]+\/events$/.test(path))
      return { kind: 'EventList', apiVersion: 'v1', metadata: {}, items: [] };
    const name = /^\/api\/v1\/namespaces\/([^/]+)$/.exec(path)?.[1];
    return name === undefined ? undefined : { kind: 'Namespace', apiVersion: 'v1', metadata: { name } };
  }

  #takeFault(method: string, path: string, query: URLSearchParams): Fault | undefined {
    const index = this.#faults.findIndex(
      ({ fault }) =>
        (fault.method ?? method) === method &&
        (fault.path ?? /./).test(path) &&
        (fault.dryRun === undefined || fault.dryRun === query.has('dryRun')) &&
        (fault.watch === undefined || fault.watch === query.has('watch')),
    );
    const found = this.#faults[index];
    if (found === undefined) return undefined;
    found.left -= 1;
    if (found.left === 0) this.#faults.splice(index, 1);
    return found.fault;
  }
}

function parseRoute(path: string): Route | undefined {
  const match =
    /^\/apis\/inference\.llmkube\.dev\/v1alpha1(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?(\/status)?$/.exec(
      path,
    );
  const served = SERVED.find(({ plural }) => plural === match?.[2]);
  if (!match || !served) return undefined;
  const [, namespace, , name, status] = match;
  return { plural: served.plural, kind: served.kind, namespace, name, status: status !== undefined };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function sendOpenApiV2(response: ServerResponse): void {
  const type = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
  response.writeHead(200, { 'content-type': type }).end(EMPTY_OPEN_API_V2);
}

function sendWithoutEnd(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = ' '.repeat(2 ** 20);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

function send(response: ServerResponse, code: number, body: JsonObject): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
