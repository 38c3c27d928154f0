import { isDeepStrictEqual } from 'node:util';
import { ClusterError, InsufficientMemoryError, type LlmkubeError } from '../errors.js';
import type { AnyResource, Condition, InferenceServiceResource, ModelResource } from './client/api.js';
import { cleanText } from './client/clean-text.js';

export interface DeployState {
  readonly model: ModelResource | undefined;
  readonly service: InferenceServiceResource | undefined;
}

/** Where a deploy stands: done, failed, or what it is waiting for. */
export type Progress =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: LlmkubeError }
  | { readonly kind: 'waiting'; readonly for: string };

const INSUFFICIENT_MEMORY = 'InsufficientMemory';
const MEMORY_CHECK_FAILED = 'MemoryCheckFailed';

/**
 * Reads the status that operator and agent wrote.
 * @param before the resources as they were before this deploy changed them: a status that has not moved since then
 * speaks of the old spec and decides nothing
 */
export function judge({ model, service }: DeployState, before: DeployState): Progress {
  if (model === undefined || service === undefined) return { kind: 'waiting', for: 'the resources to be read' };
  const modelCounts = !isStale(model, before.model);
  const serviceCounts = !isStale(service, before.service);
  if (modelCounts && serviceCounts && model.status?.phase === 'Ready' && isUp(service)) return { kind: 'ready' };
  const refusal = memoryRefusal(service, before.service);
  if (refusal) return { kind: 'failed', error: refusal };
  if (modelCounts && model.status?.phase === 'Failed') return failed('MODEL_FAILED', model);
  if (serviceCounts && service.status?.phase === 'Failed') return failed('SERVICE_FAILED', service);
  return { kind: 'waiting', for: `${standing(model)}, ${standing(service)}` };
}

/** A resource that has nothing to run is up when it has stopped. */
function isUp({ spec, status }: InferenceServiceResource): boolean {
  return status?.phase === 'Ready' || (spec.replicas === 0 && status?.phase === 'Stopped');
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
function memoryRefusal(
  service: InferenceServiceResource,
  before: InferenceServiceResource | undefined,
): LlmkubeError | undefined {
  const verdict = schedulingOf(service);
  if (before !== undefined && hasNewSpec(service, before) && isDeepStrictEqual(verdict, schedulingOf(before))) return;
  const { name, namespace } = service.metadata;
  const message = `${namespace}/${name} was refused by the cluster: ${verdict.message || verdict.reason}`;
  if (verdict.reason === INSUFFICIENT_MEMORY) {
    return new InsufficientMemoryError('INSUFFICIENT_MEMORY', `insufficient memory: ${message}`, {
      suggestions: ['try a smaller quantization, reduce --ctx-size, or free memory on that machine'],
    });
  }
  if (verdict.reason !== MEMORY_CHECK_FAILED) return;
  return new ClusterError('MEMORY_CHECK_FAILED', `the memory check there could not be completed: ${message}`, {
    suggestions: [`see more with: kubectl describe isvc -n ${namespace} ${name}`],
  });
}

function schedulingOf({ status }: InferenceServiceResource): { reason: string; message: string } {
  const refusing = status?.conditions?.find(
    ({ reason }) => reason === INSUFFICIENT_MEMORY || reason === MEMORY_CHECK_FAILED,
  );
  const reason = status?.schedulingStatus || refusing?.reason || '';
  return { reason, message: cleanText(status?.schedulingMessage || refusing?.message || '') };
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

function standing(resource: AnyResource): string {
  const reason = explain(resource);
  return `${resource.kind} ${resource.status?.phase ?? 'not yet seen by the operator'}${reason ? ` (${reason})` : ''}`;
}

/** The sentence of the condition that says most about where a resource stands now. */
export function explain({ status }: AnyResource): string {
  const scheduling = status && 'schedulingMessage' in status ? status.schedulingMessage : undefined;
  const latest = [...(status?.conditions ?? [])].filter(isTelling).sort(byTransition).at(-1);
  return cleanText(scheduling || latest?.message || latest?.reason || '');
}

/** "Available: False" and "Degraded: True" tell why something is not there yet; "Suspended: False" tells nothing. */
function isTelling({ type, status }: Condition): boolean {
  const isComplaint = /Degraded|Fail|Progress|Download|Copy|Suspended|Error/.test(type);
  return isComplaint ? status === 'True' : status !== 'True';
}

function byTransition(a: Condition, b: Condition): number {
  return Date.parse(a.lastTransitionTime ?? '') - Date.parse(b.lastTransitionTime ?? '') || 0;
}
