import { isDeepStrictEqual } from 'node:util';
import { ClusterError, InsufficientMemoryError, type LlmkubeError } from '../../errors.js';
import type { AnyResource, Condition, InferenceServiceResource, ModelResource } from '../client/api.js';
import { MEMORY_FIT, SERVER_READY } from '../host-record.js';
import { cleanLine, cleanLines, cleanText } from '../client/clean-text.js';

export interface DeployState {
  readonly model: ModelResource | undefined;
  readonly service: InferenceServiceResource | undefined;
}

/** Where a deploy stands: done, failed, or what it is waiting for. */
export type Progress =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: LlmkubeError }
  | { readonly kind: 'waiting'; readonly for: string };

const ADVISED = /^ *Suggestion: /m;
const INSUFFICIENT_MEMORY = 'InsufficientMemory';
const MEMORY_CHECK_FAILED = 'MemoryCheckFailed';
/** Refusals of LLMKube 0.10 that waiting does not change, and the code each is reported with. */
const FINAL_REFUSALS: Readonly<Record<string, string>> = {
  [MEMORY_CHECK_FAILED]: 'MEMORY_CHECK_FAILED',
  ModelDigestMismatch: 'DEPLOY_REFUSED',
  ExtraArgsRejected: 'DEPLOY_REFUSED',
  EndpointNameConflict: 'DEPLOY_REFUSED',
  ModelSourceNotAllowed: 'DEPLOY_REFUSED',
  ServiceNameTooLong: 'DEPLOY_REFUSED',
  RelaySecretNotManaged: 'DEPLOY_REFUSED',
};
/** In these phases what was once said about scheduling is over; the operator lets it stand. */
const SETTLED_PHASES = new Set(['Ready', 'Stopped', 'Suspended']);

/**
 * Reads the status that operator and agent wrote.
 * @param before the resources as they were before this deploy changed them: a status that has not moved since then
 * speaks of the old spec and decides nothing
 * @param beforeRefusal the same for refusals, which the agent may leave standing while it is busy
 */
export function judge({ model, service }: DeployState, before: DeployState, beforeRefusal = before): Progress {
  if (model === undefined || service === undefined) return { kind: 'waiting', for: 'the resources to be read' };
  const modelCounts = !isStale(model, before.model);
  const serviceCounts = !isStale(service, before.service);
  const hasOperator = service.status?.phase !== undefined;
  const isReady = hasOperator ? modelCounts && model.status?.phase === 'Ready' && isUp(service) : answersThere(service);
  if (serviceCounts && isReady) return { kind: 'ready' };
  if (service.spec.suspend === true) return { kind: 'failed', error: suspended(service) };
  const isOldRefusal = saysTheSame(service, beforeRefusal.service);
  const refusal = isOldRefusal ? undefined : refusalOf(service);
  if (refusal) return { kind: 'failed', error: refusal };
  if (modelCounts && model.status?.phase === 'Failed') return failed('MODEL_FAILED', model);
  if (serviceCounts && !isOldRefusal && service.status?.phase === 'Failed') return failed('SERVICE_FAILED', service);
  return { kind: 'waiting', for: `${standing(model)}, ${standing(service)}` };
}

/** A resource that has nothing to run is up when it has stopped. */
function isUp({ spec, status }: InferenceServiceResource): boolean {
  return status?.phase === 'Ready' || (spec.replicas === 0 && status?.phase === 'Stopped');
}

/** Where no operator runs, the agent of a host says that its process answers, and which spec it has checked. */
function answersThere(service: InferenceServiceResource): boolean {
  const said = (wanted: string) => service.status?.conditions?.find(({ type }) => type === wanted);
  return said(SERVER_READY)?.status === 'True' && observes(said(MEMORY_FIT), service);
}

function isStale(current: AnyResource, before: AnyResource | undefined): boolean {
  if (before === undefined || !hasNewSpec(current, before)) return false;
  const observed = Math.max(...(current.status?.conditions ?? []).map((each) => each.observedGeneration ?? -1));
  return observed < (current.metadata.generation ?? 0) && isDeepStrictEqual(current.status, before.status);
}

function hasNewSpec(current: AnyResource, before: AnyResource): boolean {
  return (current.metadata.generation ?? 0) > (before.metadata.generation ?? 0);
}

/** The agent's verdict outlives other status updates, so it has to differ from the one before to be about this spec. */
function saysTheSame(service: InferenceServiceResource, before: InferenceServiceResource | undefined): boolean {
  if (before === undefined || !hasNewSpec(service, before)) return false;
  const { reason, message, condition } = schedulingOf(service);
  const earlier = schedulingOf(before);
  return reason !== '' && reason === earlier.reason && message === earlier.message && !observes(condition, service);
}

function refusalOf(service: InferenceServiceResource): LlmkubeError | undefined {
  const verdict = schedulingOf(service);
  const { name, namespace } = service.metadata;
  const message = `${namespace}/${name} was refused by the cluster: ${verdict.message || verdict.reason}`;
  if (verdict.reason === INSUFFICIENT_MEMORY) {
    return new InsufficientMemoryError('INSUFFICIENT_MEMORY', `insufficient memory: ${message}`.split('\n'), {
      // An agent that has searched says itself what would fit.
      suggestions: ADVISED.test(verdict.message)
        ? []
        : ['try a smaller quantization, reduce --ctx-size, or free memory on that machine'],
    });
  }
  const code = Object.hasOwn(FINAL_REFUSALS, verdict.reason) ? FINAL_REFUSALS[verdict.reason] : undefined;
  if (code === undefined) return;
  const what = code === 'MEMORY_CHECK_FAILED' ? 'the memory check there could not be completed' : verdict.reason;
  return new ClusterError(code, `${what}: ${message}`, {
    suggestions: [`see more with: kubectl describe isvc -n ${namespace} ${name}`],
  });
}

interface SchedulingVerdict {
  readonly reason: string;
  readonly message: string;
  readonly condition: Condition | undefined;
}

function schedulingOf({ status }: InferenceServiceResource): SchedulingVerdict {
  const condition = status?.conditions?.find(
    ({ reason = '' }) => reason === INSUFFICIENT_MEMORY || Object.hasOwn(FINAL_REFUSALS, reason),
  );
  const reason = status?.schedulingStatus || condition?.reason || '';
  return { reason, message: cleanLines(status?.schedulingMessage || condition?.message || ''), condition };
}

function observes(condition: Condition | undefined, { metadata }: InferenceServiceResource): boolean {
  return condition?.observedGeneration !== undefined && condition.observedGeneration >= (metadata.generation ?? 0);
}

function suspended({ metadata: { name, namespace } }: InferenceServiceResource): ClusterError {
  return new ClusterError(
    'SUSPENDED',
    `InferenceService ${namespace}/${name} is suspended (spec.suspend), so it will not start`,
    {
      suggestions: [
        `resume it with: kubectl patch isvc -n ${namespace} ${name} --type merge -p '{"spec":{"suspend":false}}'`,
      ],
    },
  );
}

function failed(code: string, resource: AnyResource): Progress {
  const { kind, metadata } = resource;
  const reason = explain(resource) || 'the cluster gave no reason';
  return {
    kind: 'failed',
    error: new ClusterError(code, `${kind} ${metadata.namespace}/${metadata.name} failed: ${reason}`, {
      suggestions: [`see more with: kubectl describe ${kind.toLowerCase()} -n ${metadata.namespace} ${metadata.name}`],
    }),
  };
}

/** The operator's or the agent's word for why a service does not run, while it does not. */
export function schedulingReason({ status }: InferenceServiceResource): string {
  return SETTLED_PHASES.has(status?.phase ?? '') ? '' : cleanText(status?.schedulingStatus ?? '');
}

function standing(resource: AnyResource): string {
  const reason = cleanLine(explain(resource));
  return `${resource.kind} ${resource.status?.phase ?? 'not yet seen by the operator'}${reason ? ` (${reason})` : ''}`;
}

/** What the condition says that says most about where a resource stands now, in as many lines as it has. */
export function explain({ status }: AnyResource): string {
  const isSettled = SETTLED_PHASES.has(status?.phase ?? '');
  const scheduling = status && !isSettled && 'schedulingMessage' in status ? status.schedulingMessage : undefined;
  const latest = [...(status?.conditions ?? [])].filter(isTelling).sort(byTransition).at(-1);
  return cleanLines(scheduling || latest?.message || latest?.reason || '');
}

/** "Available: False" and "Degraded: True" tell why something is not there yet; "Suspended: False" tells nothing. */
function isTelling({ type, status }: Condition): boolean {
  const isComplaint = /Degraded|Fail|Progress|Download|Copy|Suspended|Error/.test(type);
  return isComplaint ? status === 'True' : status !== 'True';
}

function byTransition(a: Condition, b: Condition): number {
  return Date.parse(a.lastTransitionTime ?? '') - Date.parse(b.lastTransitionTime ?? '') || 0;
}
