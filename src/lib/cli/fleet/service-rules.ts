import { OVERRIDE_ANNOTATIONS } from '../../agent/core/annotations.js';
import { memoryRules, type MemoryRules, type RuledModel } from '../../agent/core/memory-rules.js';
import type { BudgetPolicy } from '../../budget/budget-policy.js';
import { ClusterError } from '../../errors.js';
import type { InferenceServiceResource } from '../../kube/client/api.js';
import type { KubeClient } from '../../kube/client/client.js';
import { missing } from '../../kube/client/status-errors.js';
import { deployName } from '../deploy/deploy-name.js';

/** What one InferenceService says itself of the memory that it may use, and of where it may run. */
export interface ServiceRules {
  /** `namespace/name`. */
  readonly key: string;
  /** The only agent that may run it. */
  readonly agent: string | undefined;
  /** As an agent with this policy decides it: annotations of the service, fields of its Model, then the agent's own. */
  readonly on: (policy: BudgetPolicy) => MemoryRules;
}

/**
 * The rules of the service that is named, as `NAME` or `NAMESPACE/NAME`; else of the one that `deploy` would give the model's name, where
 * there is one that may be read.
 * @throws ClusterError NOT_FOUND for one that is named and missing
 */
export async function serviceRules(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  named: string | undefined,
  model: string,
): Promise<ServiceRules | undefined> {
  const [name = '', space = namespace] = (named ?? deployName(model, 'metal')).split('/').reverse();
  if (name === '') return undefined;
  const service = await lookUp(client, { kind: 'InferenceService', namespace: space, name }, named !== undefined);
  if (service === undefined) return undefined;
  const { modelRef } = service.spec;
  const of = await lookUp(client, { kind: 'Model', namespace: space, name: modelRef }, named !== undefined);
  return rulesOf(service, of ?? { metadata: { name: modelRef }, spec: {} });
}

function rulesOf(service: InferenceServiceResource, model: RuledModel): ServiceRules {
  const { namespace, name, annotations = {} } = service.metadata;
  return {
    key: `${namespace}/${name}`,
    agent: annotations[OVERRIDE_ANNOTATIONS.agent],
    on: (policy) => memoryRules(service, model, { policy, mode: 'enforce', modeFrom: '' }),
  };
}

/** One that was only guessed may be missing, or for others to see. */
async function lookUp<K extends 'InferenceService' | 'Model'>(
  client: Pick<KubeClient, 'get'>,
  ref: { readonly kind: K; readonly namespace: string; readonly name: string },
  isNamed: boolean,
) {
  try {
    const found = await client.get<K>(ref);
    if (found === undefined && isNamed) throw missing(ref.kind, ref.name, ref.namespace);
    return found;
  } catch (error) {
    const isHidden = error instanceof ClusterError && ['FORBIDDEN', 'LLMKUBE_NOT_INSTALLED'].includes(error.code);
    if (isHidden && !isNamed) return undefined;
    throw error;
  }
}
