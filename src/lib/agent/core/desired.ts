import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { shown } from '../../printable.js';
import { OVERRIDE_ANNOTATIONS } from './annotations.js';
import { isClaimedBy } from './claims.js';

/** What is known of an object: what cannot be read is not known, which is not the same as not there. */
export type Known<T> =
  { readonly kind: 'there'; readonly object: T } | { readonly kind: 'gone' } | { readonly kind: 'unknown' };

/** What the cluster asks of this host for one service. */
export type Desired =
  | { readonly kind: 'run'; readonly service: InferenceServiceResource; readonly model: ModelResource }
  | { readonly kind: 'stop'; readonly why: 'deleted' | 'suspended' | 'scaled-to-zero' | 'not-ours' }
  /** Whatever runs goes on, and nothing is started. */
  | { readonly kind: 'unknown'; readonly problem?: ServiceProblem };

/** Why a service of this agent cannot be started, which whoever has made it can mend. */
export interface ServiceProblem {
  readonly service: InferenceServiceResource;
  readonly text: string;
  readonly advice: readonly string[];
}

/** Which services an agent takes. */
export interface AgentIdentity {
  readonly id: string;
  readonly accelerator: Accelerator;
  /** Names of services; unset = all. */
  readonly allowlist?: readonly string[] | undefined;
}

/** Runtimes that are llama-server. */
const OWN_RUNTIMES: readonly (string | undefined)[] = [undefined, '', 'llamacpp'];

/**
 * What is wanted of a service. Only a service that is itself gone, or says so, is stopped: a Model that is missing or cannot
 * be read stops nothing.
 */
export function desiredOf(
  service: Known<InferenceServiceResource>,
  model: Known<ModelResource>,
  agent: AgentIdentity,
): Desired {
  if (service.kind === 'gone') return { kind: 'stop', why: 'deleted' };
  if (service.kind === 'unknown') return { kind: 'unknown' };
  const { metadata, spec } = service.object;
  if (metadata.deletionTimestamp !== undefined) return { kind: 'stop', why: 'deleted' };
  const isNamed = metadata.annotations?.[OVERRIDE_ANNOTATIONS.agent];
  if (isNamed !== undefined && isNamed !== agent.id) return { kind: 'stop', why: 'not-ours' };
  if (isNamed === undefined && agent.accelerator !== 'metal') return { kind: 'stop', why: 'not-ours' };
  if (agent.allowlist !== undefined && !agent.allowlist.includes(metadata.name))
    return { kind: 'stop', why: 'not-ours' };
  if (!OWN_RUNTIMES.includes(spec.runtime)) return { kind: 'stop', why: 'not-ours' };
  if (spec.suspend === true) return { kind: 'stop', why: 'suspended' };
  if (spec.replicas === 0) return { kind: 'stop', why: 'scaled-to-zero' };
  if (model.kind === 'unknown') return { kind: 'unknown' };
  if (model.kind === 'gone') {
    // Without a Model it is not known whether an unnamed service is one for hosts.
    const isOurs = isNamed !== undefined || isClaimedBy(service.object, agent.id);
    return { kind: 'unknown', ...(isOurs && { problem: missingModel(service.object) }) };
  }
  const accelerator = model.object.spec.hardware?.accelerator;
  if (isNamed === undefined && accelerator !== 'metal') return { kind: 'stop', why: 'not-ours' };
  return { kind: 'run', service: service.object, model: model.object };
}

function missingModel(service: InferenceServiceResource): ServiceProblem {
  const { metadata, spec } = service;
  const text = `there is no Model "${shown(spec.modelRef)}" in ${metadata.namespace}`;
  return { service, text, advice: ['create it, or correct spec.modelRef'] };
}
