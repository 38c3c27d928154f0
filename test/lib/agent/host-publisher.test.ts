import { expect, test } from '@jest/globals';
import { HostPublisher } from '../../../src/lib/agent/cluster/host-publisher.js';

type Parts = ConstructorParameters<typeof HostPublisher>;

test('what is promised is published when it changes, not only with the next heartbeat', async () => {
  const published: unknown[] = [];
  const apply = (_path: string, object: unknown) => Promise.resolve(published.push(object));
  const means = {
    client: { objects: { apply } },
    server: { build: 'b11549' },
    measure: () => Promise.resolve({ totalBytes: 64 * 2 ** 30, inUseBytes: 0 }),
    log: { debug: (_message: string, { error }: { error: string }) => void published.push(error) },
  } as unknown as Parts[1];
  const host = {
    ...{ identity: { id: 'box', accelerator: 'cpu' }, namespace: 'default' },
    ...{ defaults: { policy: {}, mode: 'enforce' }, gpuMemoryBytes: undefined },
  } as unknown as Parts[0];
  const publisher = new HostPublisher(host, means);
  const promise = { requirement: { hostBytes: 7, mappedBytes: 0, gpuBytes: [] } };
  const counts: number[] = [];
  for (const [services, promised] of [
    [[], []],
    [[], []],
    [[], [promise]],
    [['default/a'], [promise]],
    [[], []],
  ] as const) {
    await publisher.publish(services, promised);
    counts.push(published.length);
  }
  expect(counts).toEqual([1, 1, 2, 3, 4]);
  expect(published).toContainEqual(expect.objectContaining({ kind: 'ConfigMap' }));
});
