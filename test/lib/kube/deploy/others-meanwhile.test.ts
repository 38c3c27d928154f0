import { describe, expect, test } from '@jest/globals';
import type { Applied } from '../../../../src/lib/kube/deploy/apply.js';
import { buildResources } from '../../../../src/lib/kube/resources.js';
import { appliedInEachTest, MODEL, SERVICE, WRITE_OF_SERVICE } from '../../../support/deploy/applied-resources.js';
import { planFor } from '../../../support/deploy/deploy-plans.js';
import { ApiFailure } from '../../../support/kube/kube-types.js';

describe('what others made meanwhile', () => {
  const { cluster, apply, failure } = appliedInEachTest();

  test('a model that somebody put in the place of ours meanwhile is not removed', async () => {
    cluster.api.inject({ ...WRITE_OF_SERVICE, failure: new ApiFailure(403, 'Forbidden', 'no') });
    const onApplied = ({ current }: Applied) => {
      cluster.api.store.delete(MODEL);
      const metadata = { ...current.metadata, uid: undefined };
      cluster.api.store.create(MODEL, JSON.parse(JSON.stringify({ ...current, metadata })), 'kubectl', {
        dryRun: false,
      });
    };
    expect((await failure({}, { onApplied })).message).toContain('could not be removed');
    expect(cluster.api.store.get(MODEL)).toBeDefined();
  });

  test('a conflict with somebody else is one, also beside what an earlier version of this program wrote', async () => {
    const { model, service } = buildResources(planFor({ replicas: 3 }));
    const plain = (resource: object) => JSON.parse(JSON.stringify(resource));
    cluster.api.store.create(MODEL, plain(model), 'llmkube', { dryRun: false });
    cluster.api.store.create(SERVICE, plain(service), 'llmkube', { dryRun: false });
    cluster.api.store.patch(SERVICE, { spec: { contextSize: 4096 } }, 'kubectl-edit', { dryRun: false });
    expect((await failure({ replicas: 1 })).code).toBe('FIELD_CONFLICT');
    expect(cluster.api.store.get(SERVICE)?.spec).toMatchObject({ contextSize: 4096, replicas: 3 });
    // It is met in the rehearsal, before the model or who owns what is written.
    expect(cluster.api.writes).toEqual([]);
  });

  test('when the service fails, a model that was there before is changed and not removed', async () => {
    await apply();
    cluster.api.inject({ ...WRITE_OF_SERVICE, failure: new ApiFailure(403, 'Forbidden', 'no') });
    const error = await failure({ sha256: 'a'.repeat(64), replicas: 2 });
    expect(error.message).toContain('was there before and stays (configured)');
    expect(cluster.api.store.get(MODEL)).toBeDefined();
  });
});
