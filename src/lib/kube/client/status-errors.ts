import { ClusterError } from '../../errors.js';
import { parseObject } from './answers/large-objects.js';
import { API_GROUP, RESOURCE_OF_KIND, type Kind } from './api.js';

/** What was asked of the cluster, so that an error can say it. */
export interface ApiCall {
  readonly verb: 'get' | 'list' | 'watch' | 'apply' | 'delete';
  readonly kind: Kind;
  readonly name?: string;
  readonly namespace?: string | undefined;
}

/** A Kubernetes `Status` object, as far as it is read here. */
export interface ApiStatus {
  readonly code: number;
  readonly message: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

/** One field that someone else owns and that this apply would change. */
export interface FieldConflict {
  readonly field: string;
  readonly owner: string;
}

export class ConflictError extends ClusterError {
  /** @param what was to be done, such as "apply Model default/tiny" */
  constructor(
    readonly what: string,
    readonly conflicts: readonly FieldConflict[],
  ) {
    super('FIELD_CONFLICT', `cannot ${what}: it would change ${conflictList(conflicts)}`, {
      suggestions: ['leave these fields as they are, or take them over with --force-conflicts'],
    });
  }
}

/** The operator of this cluster does not know a field that was sent. */
export class UnknownFieldError extends ClusterError {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super('OPERATOR_TOO_OLD', `the cluster's LLMKube operator does not know the field ${field}: ${message}`, {
      suggestions: ['update the operator and its CRDs, or leave out the flag that sets this field'],
    });
  }
}

/** What decides how it runs; the records beside it are only counted, unless there is nothing else. */
export function conflictList(conflicts: readonly FieldConflict[]): string {
  const ofSpec = conflicts.filter(({ field }) => field.startsWith('.spec'));
  const shown = ofSpec.length > 0 ? ofSpec : conflicts;
  const more = conflicts.length - shown.length;
  const list = shown.map(({ field, owner }) => `${field} (owned by ${owner})`).join(', ');
  return more === 0 ? list : `${list} and ${more} more in metadata`;
}

const UNKNOWN_FIELD = /unknown field "([^"]+)"|(\.[\w.[\]-]+): field not declared in schema/;
const CONFLICT_OWNER = /conflict with "([^"]+)"/;

/** The error of an answer that is not a success. */
export function statusError(call: ApiCall, status: ApiStatus, server: string): ClusterError {
  const unknownField = UNKNOWN_FIELD.exec(status.message);
  if (unknownField) {
    return new UnknownFieldError((unknownField[1] ?? unknownField[2] ?? '').replace(/^\./, ''), status.message);
  }
  switch (status.code) {
    case 401:
      return new ClusterError('UNAUTHORIZED', `the cluster at ${server} did not accept your credentials`, {
        suggestions: ['log in again, or choose other credentials with --kube-context'],
      });
    case 403:
      if (status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating')) return terminating(call);
      return new ClusterError('FORBIDDEN', `the cluster does not let you ${describe(call)}: ${status.message}`, {
        suggestions: [
          `you need get, list, watch, create, patch and delete on models and inferenceservices in ${API_GROUP}`,
          `see with: kubectl auth can-i --list${inNamespace(call)}`,
        ],
      });
    case 404:
      return notFound(call, status);
    case 409:
      return conflict(call, status);
    case 410:
      return new ClusterError(
        'EXPIRED',
        `the cluster no longer knows the version to ${describe(call)} from: ${status.message}`,
      );
    case 422:
      return new ClusterError(
        'INVALID_RESOURCE',
        `the cluster refused to ${describe(call)}: ${invalidFields(status)}`,
        {
          suggestions: ['change what is named, or update the operator if its API is older than this program'],
        },
      );
    case 429:
      return new ClusterError('CLUSTER_BUSY', `the cluster is too busy to ${describe(call)}: ${status.message}`, {
        suggestions: ['run the same command again in a minute; it goes on where it stopped'],
      });
    default:
      return new ClusterError(
        status.code >= 500 ? 'CLUSTER_FAILED' : 'CLUSTER_REFUSED',
        `the cluster failed to ${describe(call)}: ${status.message} (HTTP ${status.code})`,
        { suggestions: ['run the same command again; if it stays, ask whoever runs the cluster'] },
      );
  }
}

/** Of the three things that can be missing, the resource itself is the caller's business: see `isMissingObject`. */
function notFound(call: ApiCall, status: ApiStatus): ClusterError {
  if (status.details?.kind === 'namespaces') {
    const namespace = status.details.name ?? call.namespace;
    return new ClusterError('NAMESPACE_NOT_FOUND', `the namespace "${namespace}" does not exist in this cluster`, {
      suggestions: [`create it with: kubectl create namespace ${namespace}`],
    });
  }
  if (isMissingObject(call, status)) return missing(call.kind, call.name ?? '', call.namespace ?? '');
  return new ClusterError(
    'LLMKUBE_NOT_INSTALLED',
    `this cluster does not know ${RESOURCE_OF_KIND[call.kind]}.${API_GROUP}: LLMKube's CRDs are not installed`,
    {
      suggestions: [
        'install the LLMKube operator, which brings the CRDs',
        'check that --kube-context is the right cluster',
      ],
    },
  );
}

function terminating({ namespace = '' }: ApiCall): ClusterError {
  return new ClusterError(
    'NAMESPACE_TERMINATING',
    `the namespace "${namespace}" is being deleted, so nothing can be created in it`,
    { suggestions: ['wait until it is gone and create it anew, or deploy to another namespace with -n'] },
  );
}

export function missing(kind: Kind, name: string, namespace: string): ClusterError {
  return new ClusterError('NOT_FOUND', `there is no ${kind} "${name}" in namespace ${namespace}`, {
    suggestions: [`see what is there with: llmkube list -n ${namespace}, or everywhere with: llmkube list -A`],
  });
}

/** Whether a 404 means that the kind is served but this object is not there. */
export function isMissingObject(call: ApiCall, { code, details }: ApiStatus): boolean {
  return code === 404 && call.name !== undefined && details?.name === call.name && details.kind !== 'namespaces';
}

function conflict(call: ApiCall, status: ApiStatus): ClusterError {
  const conflicts = (status.details?.causes ?? [])
    .filter((cause) => cause.reason === 'FieldManagerConflict')
    .map(({ field = '', message = '' }) => ({ field, owner: CONFLICT_OWNER.exec(message)?.[1] ?? 'another' }));
  if (conflicts.length === 0) {
    return new ClusterError('CONFLICT', `the cluster could not ${describe(call)}: ${status.message}`, {
      suggestions: ['somebody changed it at the same moment or it is being deleted: run the same command again'],
    });
  }
  return new ConflictError(describe(call), conflicts);
}

/** A 422 lists its causes; each names a field and what is wrong with it. */
function invalidFields(status: ApiStatus): string {
  const all = status.details?.causes ?? [];
  // Beside others, a cause without a field only says that further rules were not looked at.
  const named = all.filter(({ field = '' }) => field !== '' && field !== '<nil>');
  const causes = (named.length > 0 ? named : all).map(({ field, message }) => `${field}: ${message}`);
  return causes.length > 0 ? causes.join('; ') : status.message;
}

function describe({ verb, kind, name, namespace }: ApiCall): string {
  if (name !== undefined) return `${verb} ${kind} ${namespace}/${name}`;
  return `${verb} ${RESOURCE_OF_KIND[kind]} ${namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`}`;
}

function inNamespace({ namespace }: ApiCall): string {
  return namespace === undefined ? '' : ` -n ${namespace}`;
}

/** What a refusal says in its text; undefined where that is no Status of Kubernetes. */
export function parseStatus(text: string): Omit<ApiStatus, 'code'> | undefined {
  try {
    const parsed = parseObject(text) as Partial<ApiStatus> | null;
    if (typeof parsed?.message !== 'string') return undefined;
    const { message, details } = parsed;
    return typeof details === 'object' && details !== null ? { message, details } : { message };
  } catch {
    return undefined;
  }
}
