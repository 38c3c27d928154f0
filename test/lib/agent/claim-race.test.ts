import { beforeEach, expect, test } from '@jest/globals';
import { SeenHeartbeats } from '../../../src/lib/agent/core/claims.js';
import { ClaimKeeper } from '../../../src/lib/agent/service/claim-keeper.js';
import { ServiceWriter } from '../../../src/lib/agent/cluster/service-writer.js';
import { connect, type KubeClient } from '../../../src/lib/kube/client/client.js';
import { clusterOfEachTest } from '../../support/kube/cluster-of-each-test.js';
import { aService } from './objects.js';

const cluster = clusterOfEachTest();
let client: KubeClient;
beforeEach(async () => {
  client = await connect({ kubeconfig: cluster.kubeconfig });
});

const CLAIMED_BY = 'inference.llmkube.dev/claimed-by';

/** An agent, as far as it takes services. */
function agent(id: string, key: string) {
  const noted: string[] = [];
  const writer = new ServiceWriter(client, id);
  const mirror = { note: () => noted.push(key), connectedSinceMs: 0 };
  return {
    keeper: new ClaimKeeper(key, { identity: { id }, mirror, teller: writer, heartbeats: new SeenHeartbeats() }),
    noted,
  };
}

test('of two agents that take a service at the same time exactly one gets it, 20 times of 20', async () => {
  for (let round = 0; round < 20; round += 1) {
    const key = { plural: 'inferenceservices', namespace: 'default', name: `s${round}` };
    const metadata = { name: key.name, namespace: 'default' };
    cluster.api.store.create(key, { ...aService(), metadata } as never, 'test', {
      dryRun: false,
    });
    const seen = await client.get({ kind: 'InferenceService', namespace: 'default', name: key.name });
    if (seen === undefined) throw new Error('it was just made');
    const [one, other] = [agent('one', key.name), agent('other', key.name)];
    const taken = await Promise.all([one.keeper.take(seen), other.keeper.take(seen)]);
    expect(taken.filter(Boolean)).toHaveLength(1);
    const owner = cluster.api.store.require(key).metadata.annotations?.[CLAIMED_BY];
    expect(owner).toBe(taken[0] ? 'one' : 'other');
    expect([one.noted.length, other.noted.length]).toEqual(taken.map(Number));
  }
});
