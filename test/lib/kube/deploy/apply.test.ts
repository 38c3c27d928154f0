import { describe, expect, test } from '@jest/globals';
import type { Applied } from '../../../../src/lib/kube/deploy/apply.js';
import { buildResources } from '../../../../src/lib/kube/resources.js';
import { planFor, verdictOf } from '../../../support/deploy/deploy-plans.js';
import { appliedInEachTest, MODEL, SERVICE, WRITE_OF_SERVICE } from '../../../support/deploy/applied-resources.js';
import { ApiFailure } from '../../../support/kube/kube-types.js';

describe('applying the two resources', () => {
  const { cluster, apply, failure } = appliedInEachTest();

  test('creates both, the model first, and owns the fields as llmkube', async () => {
    const seen: string[] = [];
    const onApplied = ({ kind, outcome }: Applied) => void seen.push(`${kind} ${outcome}`);
    expect(await apply({}, { onApplied })).toEqual(['created', 'created']);
    expect(seen).toEqual(['Model created', 'InferenceService created']);
    const [entry] = cluster.api.store.get(SERVICE)?.metadata.managedFields ?? [];
    expect(entry).toMatchObject({ manager: 'llmkube', operation: 'Apply' });
  });

  test('a second run with the same flags changes nothing', async () => {
    await apply();
    const version = cluster.api.store.version;
    expect(await apply()).toEqual(['unchanged', 'unchanged']);
    expect(cluster.api.store.version).toBe(version);
  });

  test('another reading of what is in use is no change', async () => {
    await apply();
    const version = cluster.api.store.version;
    const check = { mode: 'enforce', version: '1.2.3', verdict: verdictOf({}, 19 * 2 ** 30) } as const;
    expect(await apply({ check })).toEqual(['unchanged', 'unchanged']);
    expect(cluster.api.store.version).toBe(version);
  });

  test('another verdict is one', async () => {
    await apply();
    const check = { mode: 'enforce', version: '1.2.3', verdict: { ...verdictOf(), kind: 'tight' } } as const;
    expect(await apply({ check })).toEqual(['configured', 'configured']);
    expect(cluster.api.store.get(SERVICE)?.metadata.annotations?.['inference.llmkube.dev/memory-check-verdict']).toBe(
      'tight',
    );
  });

  test('a change of one is said of that one, and a flag that is left out again takes its field away', async () => {
    await apply({ jinja: true });
    expect(await apply({})).toEqual(['unchanged', 'configured']);
    expect(cluster.api.store.get(SERVICE)?.spec).not.toHaveProperty('jinja');
  });

  test('a field that somebody else set beside ours stays', async () => {
    await apply();
    cluster.api.store.patch(SERVICE, { spec: { priority: 'high' } }, 'kubectl-edit', { dryRun: false });
    expect(await apply({ replicas: 2 })).toEqual(['unchanged', 'configured']);
    expect(cluster.api.store.get(SERVICE)?.spec).toMatchObject({ priority: 'high', replicas: 2 });
  });

  test('a field that somebody else took over is a conflict that names field and owner', async () => {
    await apply();
    cluster.api.store.patch(SERVICE, { spec: { contextSize: 4096 } }, 'kubectl-edit', { dryRun: false });
    const error = await failure();
    expect(error.code).toBe('FIELD_CONFLICT');
    expect(error.exitCode).toBe(4);
    expect(error.message).toContain('it would change .spec.contextSize (owned by kubectl-edit)');
    expect(cluster.api.writes).toHaveLength(2);
    expect(cluster.api.store.get(SERVICE)?.spec?.contextSize).toBe(4096);
  });

  test('--force-conflicts takes it over', async () => {
    await apply();
    cluster.api.store.patch(SERVICE, { spec: { contextSize: 4096 } }, 'kubectl-edit', { dryRun: false });
    expect(await apply({}, { forceConflicts: true })).toEqual(['unchanged', 'configured']);
    expect(cluster.api.store.get(SERVICE)?.spec?.contextSize).toBe(8192);
  });

  test('what an earlier version of this program created under the same name is taken over', async () => {
    const { model, service } = buildResources(planFor({ replicas: 3 }));
    const plain = (resource: object) => JSON.parse(JSON.stringify(resource));
    cluster.api.store.create(MODEL, plain(model), 'llmkube', { dryRun: false });
    cluster.api.store.create(SERVICE, plain(service), 'llmkube', { dryRun: false });
    expect(await apply({ replicas: 1 })).toEqual(['configured', 'configured']);
    expect(cluster.api.store.get(SERVICE)?.spec?.replicas).toBe(1);
    expect(await apply({ replicas: 1 })).toEqual(['unchanged', 'unchanged']);
  });

  test('what an earlier version wrote and this deploy does not send again is taken away', async () => {
    const { model, service } = buildResources(planFor());
    const plain = (resource: object) => JSON.parse(JSON.stringify(resource));
    cluster.api.store.create(MODEL, plain(model), 'llmkube', { dryRun: false });
    const old = { ...service, spec: { ...service.spec, parallelSlots: 8, cacheTypeK: 'f32' } };
    cluster.api.store.create(SERVICE, plain(old), 'llmkube', { dryRun: false });
    expect(await apply()).toEqual(['configured', 'configured']);
    const { spec } = cluster.api.store.get(SERVICE) ?? {};
    expect([spec?.parallelSlots, spec?.cacheTypeK]).toEqual([undefined, undefined]);
  });

  test('conflicts of both resources are named in one error, the spec before the records', async () => {
    await apply();
    const note = { metadata: { annotations: { 'inference.llmkube.dev/memory-check-verdict': 'mine' } } };
    cluster.api.store.patch(MODEL, note, 'kubectl', { dryRun: false });
    cluster.api.store.patch(SERVICE, { spec: { contextSize: 4096 } }, 'kubectl', { dryRun: false });
    const { message } = await failure();
    expect(message).toBe(
      'cannot apply Model default/tiny and apply InferenceService default/tiny: it would change .spec.contextSize (owned by kubectl) and 1 more in metadata',
    );
  });

  test('one that is being deleted is not written to', async () => {
    await apply();
    cluster.api.store.patch(MODEL, { metadata: { finalizers: ['example.org/keep'] } }, 'kubectl', { dryRun: false });
    cluster.api.store.delete(MODEL);
    const version = cluster.api.store.version;
    const error = await failure({ jinja: true });
    expect(error.code).toBe('BEING_DELETED');
    expect(error.message).toContain('Model default/tiny is being deleted and waits for example.org/keep');
    expect(cluster.api.store.version).toBe(version);
  });

  test('the number of replicas is left to whoever scales it, unless it was asked for', async () => {
    await apply();
    cluster.api.store.patch(SERVICE, { spec: { replicas: 3 } }, 'kubectl-scale', { dryRun: false });
    expect(await apply()).toEqual(['unchanged', 'unchanged']);
    expect(cluster.api.store.get(SERVICE)?.spec?.replicas).toBe(3);
    expect((await failure({ replicas: 1 })).message).toContain('.spec.replicas (owned by kubectl-scale)');
  });

  test('a name that belongs to something else is refused before anything is written', async () => {
    const { model } = buildResources(planFor({ source: 'https://host.example/other.gguf' }));
    cluster.api.store.create(MODEL, JSON.parse(JSON.stringify(model)), 'helm', { dryRun: false });
    const version = cluster.api.store.version;
    const error = await failure();
    expect(error.code).toBe('NAME_TAKEN');
    expect(error.message).toContain('Model default/tiny belongs to helm');
    expect(error.message).toContain('.spec.source');
    expect(cluster.api.store.version).toBe(version);
  });

  test('the fields of a name that is taken are those of both resources', async () => {
    const { model, service } = buildResources(planFor());
    const plain = (resource: object) => JSON.parse(JSON.stringify(resource));
    cluster.api.store.create(MODEL, plain(model), 'kubectl-create', { dryRun: false });
    cluster.api.store.create(SERVICE, plain(service), 'kubectl-create', { dryRun: false });
    const error = await failure({ launch: { accelerator: 'cpu', ctxSize: 4096 } });
    expect(error.code).toBe('NAME_TAKEN');
    expect(error.message).toContain('this deploy would change .spec.contextSize (owned by kubectl-create)');
  });

  test('when the service fails, a model that this run created is removed again', async () => {
    cluster.api.inject({ ...WRITE_OF_SERVICE, failure: new ApiFailure(403, 'Forbidden', 'no') });
    const error = await failure();
    expect(error.code).toBe('FORBIDDEN');
    expect(error.message).toContain('the Model default/tiny that this run had created was removed again');
    expect(cluster.api.store.get(MODEL)).toBeUndefined();
  });

  test('when the model cannot be removed either, the error says how to', async () => {
    cluster.api.inject({ ...WRITE_OF_SERVICE, failure: new ApiFailure(500, 'InternalError', 'boom') });
    cluster.api.inject({ method: 'DELETE', failure: new ApiFailure(403, 'Forbidden', 'no') });
    const error = await failure();
    expect(error.message).toContain('could not be removed: kubectl delete model -n default tiny');
    expect(cluster.api.store.get(MODEL)).toBeDefined();
  });

  test('when the answer about the service is lost, the model stays, since the service may be there', async () => {
    cluster.api.inject({ ...WRITE_OF_SERVICE, drop: true, times: 4 });
    const error = await failure();
    expect(error.code).toBe('CLUSTER_UNREACHABLE');
    expect(error.message).toContain('the Model default/tiny was created and stays');
    expect(cluster.api.store.get(MODEL)).toBeDefined();
  });

  test('one broken connection is asked again', async () => {
    cluster.api.inject({ method: 'PATCH', drop: true });
    expect(await apply()).toEqual(['created', 'created']);
  });

  test('a busy server is asked again after the time that it names, three times', async () => {
    const busy = new ApiFailure(429, 'TooManyRequests', 'too many requests', { retryAfterSeconds: 0 });
    const services = { method: 'PATCH', path: /inferenceservices/, dryRun: false } as const;
    cluster.api.inject({ ...services, failure: busy, times: 4 });
    await expect(apply()).rejects.toMatchObject({ code: 'CLUSTER_BUSY' });
    cluster.api.inject({ ...services, failure: busy, times: 3 });
    expect(await apply()).toEqual(['created', 'created']);
  });

  test('a dry run keeps nothing', async () => {
    expect(await apply({}, { dryRun: true })).toEqual(['created', 'created']);
    expect(cluster.api.store.get(MODEL)).toBeUndefined();
    expect(cluster.api.writes).toEqual([]);
  });
});
