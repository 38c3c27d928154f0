import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Mirror } from '../../../../src/lib/agent/cluster/mirror.js';
import { connect } from '../../../../src/lib/kube/client/client.js';
import { clusterOfEachTest } from '../../../support/kube/cluster-of-each-test.js';
import { ApiFailure } from '../../../support/kube/kube-types.js';
import { aModel, aService } from '../objects.js';

const cluster = clusterOfEachTest();
let ending: AbortController;
let mirror: Mirror;
let following: Promise<void>;
let changed: string[];
let reached: (string | undefined)[];

beforeEach(async () => {
  ending = new AbortController();
  changed = [];
  reached = [];
  create('one');
  mirror = new Mirror(await connect({ kubeconfig: cluster.kubeconfig }), {
    namespace: 'default',
    signal: ending.signal,
    onService: (key) => changed.push(key),
    onModel: () => undefined,
    onReachable: (error) => reached.push(error?.code),
    isOurs: () => true,
    onSynced: () => undefined,
    retryMs: 5,
  });
  following = mirror.run();
  await until(() => mirror.synced);
});

afterEach(async () => {
  ending.abort();
  await following;
});

function create(name: string): void {
  const key = (plural: string) => ({ plural, namespace: 'default', name });
  const once = { dryRun: false };
  const [model, service] = [aModel(), aService({ modelRef: name })];
  const metadata = { name, namespace: 'default' };
  cluster.api.store.create(key('models'), { ...model, metadata } as never, 'test', once);
  cluster.api.store.create(key('inferenceservices'), { ...service, metadata } as never, 'test', once);
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 800; tries += 1) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not happen');
}

const breakWatches = (): void => {
  for (const watch of cluster.api.watches) watch.end();
};
const names = (): string[] => mirror.services().map(({ metadata }) => metadata.name);

test('a storm of 410 Gone lists anew each time, loses nothing and invents no deletion', async () => {
  cluster.api.inject({ watch: true, times: 12, failure: new ApiFailure(410, 'Expired', 'too old resource version') });
  breakWatches();
  create('two');
  await until(() => names().includes('two'));
  expect(names().sort()).toEqual(['one', 'two']);
  expect(mirror.service('default/one').kind).toBe('there');
  // The history is gone, not the cluster.
  expect(reached).toEqual([]);
});

test('a token that has expired makes nothing unknown or gone, and what was missed is seen with the next one', async () => {
  cluster.api.inject({ times: 6, failure: new ApiFailure(401, 'Unauthorized', 'token expired') });
  breakWatches();
  await until(() => !mirror.reachable);
  create('two');
  expect([mirror.service('default/one').kind, mirror.model('default/one').kind]).toEqual(['there', 'there']);
  await until(() => mirror.reachable && names().includes('two'));
  expect(reached.at(0)).toBeDefined();
  expect(reached.at(-1)).toBeUndefined();
});

test('a service that is missing from a list counts as gone only when the cluster says so by name', async () => {
  const list = { kind: 'InferenceServiceList', metadata: { resourceVersion: '1' }, items: [] };
  cluster.api.inject({ watch: true, times: 1, failure: new ApiFailure(410, 'Expired', 'too old') });
  cluster.api.inject({ path: /inferenceservices$/, times: 1, watch: false, json: list });
  breakWatches();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(mirror.service('default/one').kind).toBe('there');
});

test('what is too large to be read whole is not known, unless it says that it is being deleted', async () => {
  const large = {
    ...aService({ extraArgs: ['x'.repeat(2 ** 19)] }),
    metadata: { name: 'large', namespace: 'default' },
  };
  const key = { plural: 'inferenceservices', namespace: 'default', name: 'large' };
  cluster.api.store.create(key, large as never, 'test', { dryRun: false });
  const model = { ...aModel(), metadata: { name: 'large', namespace: 'default', labels: { x: 'x'.repeat(2 ** 19) } } };
  cluster.api.store.create({ ...key, plural: 'models' }, model as never, 'test', { dryRun: false });
  await until(() => names().includes('large') && mirror.models().length === 2);
  expect([mirror.service('default/large').kind, mirror.model('default/large').kind]).toEqual(['unknown', 'unknown']);
});
