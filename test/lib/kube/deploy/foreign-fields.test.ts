import { describe, expect, test } from '@jest/globals';
import type { DeployPlan } from '../../../../src/lib/kube/deploy/deploy-plan.js';
import { deployToCluster } from '../../../../src/lib/kube/deploy/deploy.js';
import { fieldsChangedSince } from '../../../../src/lib/kube/deploy/foreign-fields.js';
import { planFor } from '../../../support/deploy/deploy-plans.js';
import { clusterOfEachTest } from '../../../support/kube/cluster-of-each-test.js';

const MODEL = { plural: 'models', namespace: 'default', name: 'tiny' };
const SERVICE = { plural: 'inferenceservices', namespace: 'default', name: 'tiny' };

describe('what has changed of a resource since it was applied', () => {
  const { deployed, patch, changed } = onEachCluster();

  test('is nothing at first, and nothing of what decides no memory', async () => {
    await deployed();
    patch(SERVICE, { replicas: 3, env: [{ name: 'TZ', value: 'UTC' }] });
    expect([changed(MODEL), changed(SERVICE)]).toEqual([[], []]);
  });

  test('is what others have set, and what they have taken out, until it is applied again', async () => {
    await deployed();
    patch(SERVICE, { parallelSlots: 64, contextSize: null });
    expect(changed(SERVICE)).toEqual([
      { kind: 'InferenceService', field: 'spec.contextSize', owner: undefined },
      { kind: 'InferenceService', field: 'spec.parallelSlots', value: 64, owner: 'kubectl-patch' },
    ]);
    patch(SERVICE, { parallelSlots: null });
    await deployed();
    expect(changed(SERVICE)).toEqual([]);
  });

  test('is what others have set to the default of the API, where something else was checked', async () => {
    await deployed({ runtime: 'generic', image: 'server', launch: { accelerator: 'metal', ctxSize: 8192 } });
    patch(SERVICE, { runtime: 'llamacpp' });
    patch(MODEL, { hardware: { accelerator: 'cpu' } });
    expect([...changed(MODEL), ...changed(SERVICE)].map(({ field }) => field)).toEqual([
      'spec.hardware.accelerator',
      'spec.runtime',
    ]);
  });

  test('is a variable that llama-server reads its options from, and that ggml reads', async () => {
    await deployed();
    for (const name of ['LLAMA_ARG_N_PARALLEL', 'GGML_OP_OFFLOAD_MIN_BATCH']) {
      patch(SERVICE, { env: [{ name, value: '8' }] });
      expect(changed(SERVICE).map(({ field }) => field)).toEqual(['spec.env']);
    }
  });

  test('is not a default that others have written out', async () => {
    await deployed();
    patch(SERVICE, { runtime: 'llamacpp' });
    expect(changed(SERVICE)).toEqual([]);
  });
});

function onEachCluster() {
  const cluster = clusterOfEachTest();
  return {
    deployed: (changes: Partial<DeployPlan> = {}) =>
      deployToCluster(planFor(changes), { kubeconfig: cluster.kubeconfig, wait: false, timeoutMs: 1000 }),
    patch: (key: typeof MODEL, spec: object) =>
      cluster.api.store.patch(key, { spec } as never, 'kubectl-patch', { dryRun: false }),
    changed: (key: typeof MODEL) => fieldsChangedSince(cluster.api.store.require(key) as never),
  };
}
