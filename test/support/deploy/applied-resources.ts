import type { ClusterError } from '../../../src/lib/errors.js';
import { connect } from '../../../src/lib/kube/client/client.js';
import { applyResources, type ApplyAllOptions } from '../../../src/lib/kube/deploy/apply.js';
import type { DeployPlan } from '../../../src/lib/kube/deploy/deploy-plan.js';
import { rehearse } from '../../../src/lib/kube/deploy/rehearse.js';
import { buildResources } from '../../../src/lib/kube/resources.js';
import { planFor } from './deploy-plans.js';
import { clusterOfEachTest } from '../kube/cluster-of-each-test.js';

/** Where the two resources of a plan named `tiny` stand. */
export const MODEL = { plural: 'models', namespace: 'default', name: 'tiny' };
export const SERVICE = { plural: 'inferenceservices', namespace: 'default', name: 'tiny' };
export const WRITE_OF_SERVICE = { method: 'PATCH', path: /inferenceservices/, dryRun: false } as const;

/** A cluster of each test, and the two resources of a plan applied to it. */
export function appliedInEachTest() {
  const cluster = clusterOfEachTest();

  /** Rehearses and applies both: the outcome of the model, and of the service. */
  async function apply(
    changes: Partial<DeployPlan> = {},
    options: ApplyAllOptions = {},
  ): Promise<[model: string, service: string]> {
    const client = await connect({ kubeconfig: cluster.kubeconfig });
    const force = options.forceConflicts ?? false;
    const rehearsed = await rehearse(client, buildResources(planFor(changes)), { force });
    const { model, service } = await applyResources(client, rehearsed, options);
    return [model.outcome, service.outcome];
  }

  function failure(changes?: Partial<DeployPlan>, options?: ApplyAllOptions): Promise<ClusterError> {
    return apply(changes, options).then(
      () => Promise.reject(new Error('it was applied')),
      (error: ClusterError) => error,
    );
  }

  return { cluster, apply, failure };
}
