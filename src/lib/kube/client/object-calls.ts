import { ClusterError } from '../../errors.js';
import { MAX_OBJECTS } from './answers/list-pages.js';
import { listPageOf } from './answers/large-objects.js';
import type { ApiStatus } from './status-errors.js';
import { isObject } from '../../is-object.js';
import type { Answer, HttpRequest, Transport } from './transport.js';

/** Any object of Kubernetes, as far as it is written here. */
export interface PlainObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly ownerReferences?: readonly Readonly<Record<string, unknown>>[];
  };
  readonly [field: string]: unknown;
}

export interface ObjectApply {
  /** Owner of the fields that are sent. */
  readonly manager: string;
  /** Take over fields that others own. */
  readonly force?: boolean;
}

const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  422: 'INVALID_RESOURCE',
};

/** Where objects of a namespace are in the API, or one of them. @param group `/api/v1`, `/apis/discovery.k8s.io/v1` */
export function objectPath(group: string, namespace: string, plural: string, name?: string): string {
  const path = `${group}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

/** Of Kubernetes' own kinds without a group. */
export const CORE = '/api/v1';

/** Calls for objects by their path in the API. All throw ClusterError; what is missing is `undefined` or `false`. */
export class ObjectCalls {
  constructor(
    private readonly transport: Transport,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async get(path: string): Promise<PlainObject | undefined> {
    return (await this.#send({ method: 'GET', path }, [404])) as PlainObject | undefined;
  }

  async list(path: string, query: Readonly<Record<string, string>> = {}): Promise<readonly PlainObject[]> {
    const answer = await this.#answer({ method: 'GET', path, query }, []);
    const items = answer && listPageOf(answer.text, MAX_OBJECTS)?.items;
    if (items === undefined || items.length > MAX_OBJECTS || !items.every(isObject))
      throw this.transport.unexpected(`sends a list from ${path} whose items are not objects`);
    return items as readonly PlainObject[];
  }

  /** Server-side apply. */
  async apply(path: string, object: unknown, { manager, force }: ObjectApply): Promise<PlainObject> {
    const query = { fieldManager: manager, ...(force && { force: 'true' }) };
    const contentType = 'application/apply-patch+yaml';
    return (await this.#send({ method: 'PATCH', path, query, ...body(object, contentType) }, [])) as PlainObject;
  }

  /** A JSON merge patch: with `metadata.resourceVersion` in it, only for the object as it was read. */
  async merge(path: string, patch: unknown, manager: string): Promise<PlainObject | undefined> {
    const request = { method: 'PATCH', path, query: { fieldManager: manager } } as const;
    return (await this.#send({ ...request, ...body(patch, 'application/merge-patch+json') }, [404])) as PlainObject;
  }

  /** @returns undefined when there is one of that name already */
  async create(path: string, object: unknown): Promise<PlainObject | undefined> {
    return (await this.#send({ method: 'POST', path, ...body(object, 'application/json') }, [409])) as PlainObject;
  }

  /** @param uid of the very object that is meant; @returns false when it was not there */
  async delete(path: string, uid: string | undefined): Promise<boolean> {
    const options = uid === undefined ? {} : { preconditions: { uid } };
    return (await this.#send({ method: 'DELETE', path, ...body(options, 'application/json') }, [404])) !== undefined;
  }

  async #send(request: HttpRequest, missing: readonly number[]): Promise<unknown> {
    const answer = await this.#answer(request, missing);
    if (answer === undefined) return undefined;
    const found = this.transport.parsed(answer.text);
    if (isObject(found)) return found;
    throw this.transport.unexpected(`sends something that is not an object from ${request.path}`);
  }

  async #answer(request: HttpRequest, missing: readonly number[]): Promise<Answer | undefined> {
    const answer = await this.transport.send({ ...request, signal: this.signal });
    if (answer.ok) return answer;
    if (missing.includes(answer.code)) return undefined;
    throw failure(request, this.transport.status(answer));
  }
}

function body(content: unknown, contentType: string): Pick<HttpRequest, 'body' | 'contentType'> {
  return { body: JSON.stringify(content), contentType };
}

function failure({ method, path }: HttpRequest, { code, message }: ApiStatus): ClusterError {
  const known = CODES[code] ?? (code >= 500 ? 'CLUSTER_FAILED' : 'CLUSTER_REFUSED');
  return new ClusterError(known, `the cluster refused ${method} ${path}: ${message} (HTTP ${code})`);
}
