import { expect, test } from '@jest/globals';
import { HostPublisher } from '../../../../src/lib/agent/cluster/host-publisher.js';
import { type HostReport, isFresh } from '../../../../src/lib/kube/hosts.js';

type Parts = ConstructorParameters<typeof HostPublisher>;

test('what is promised is published when it changes, not only with the next heartbeat', async () => {
  const published: unknown[] = [];
  const apply = (_path: string, object: unknown) => Promise.resolve(published.push(object));
  const means = {
    client: { objects: { apply } },
    llamaServer: { current: { build: 'b11549' } },
    measure: () => Promise.resolve({ totalBytes: 64 * 2 ** 30, inUseBytes: 0 }),
    log: { debug: (_message: string, { error }: { error: string }) => void published.push(error) },
  } as unknown as Parts[1];
  const host = {
    ...{ identity: { id: 'box', accelerator: 'cpu' }, namespace: 'default' },
    ...{ defaults: { policy: {}, mode: 'enforce', modeFrom: '' }, gpuMemoryBytes: undefined },
  } as unknown as Parts[0];
  const publisher = new HostPublisher(host, means);
  const promise = { requirement: { hostBytes: 7, mappedBytes: 0, gpuBytes: [] } };
  const counts: number[] = [];
  for (const [services, promised] of [
    [[], []],
    [[], []],
    [[], [promise]],
    [[{ key: 'default/a', policy: {} }], [promise]],
    [[], []],
  ] as const) {
    await publisher.publish(services, promised);
    counts.push(published.length);
  }
  expect(counts).toEqual([1, 1, 2, 3, 4]);
  expect(published).toContainEqual(expect.objectContaining({ kind: 'ConfigMap' }));
});

test('services with a budget of their own are published with what is left of it', async () => {
  const published: { data: Record<string, string> }[] = [];
  const means = {
    client: { objects: { apply: (_path: string, object: never) => Promise.resolve(published.push(object)) } },
    llamaServer: { current: { build: 'b11549' } },
    measure: () => Promise.resolve({ totalBytes: 64 * 2 ** 30, inUseBytes: 2 ** 30 }),
    log: { debug: () => undefined },
  } as unknown as Parts[1];
  const defaults = { policy: { fraction: 0.5 }, mode: 'enforce', modeFrom: '' } as const;
  const host = { identity: { id: 'box', accelerator: 'cpu' }, namespace: 'default', defaults } as unknown as Parts[0];
  const own = { fraction: 0.25, from: 'the annotation a/memory-fraction' };
  const services = [
    { key: 'default/a', policy: own },
    { key: 'default/b', policy: defaults.policy },
  ];
  await new HostPublisher(host, means).publish(services, []);
  expect(JSON.parse(published[0]?.data['host.json'] ?? '')).toMatchObject({
    services: ['default/a', 'default/b'],
    overrides: [{ service: 'default/a', from: 'the annotation a/memory-fraction', budgetBytes: 15 * 2 ** 30 }],
  });
});

test('an agent that is ended says so, if it had said anything', async () => {
  const published: { data: Record<string, string> }[] = [];
  const means = {
    client: { objects: { apply: (_path: string, object: never) => Promise.resolve(published.push(object)) } },
    llamaServer: { current: { build: 'b11549' } },
    measure: () => Promise.resolve({ totalBytes: 64 * 2 ** 30, inUseBytes: 2 ** 30 }),
    log: { debug: () => undefined },
  } as unknown as Parts[1];
  const defaults = { policy: {}, mode: 'enforce', modeFrom: '' } as const;
  const host = { identity: { id: 'box', accelerator: 'cpu' }, namespace: 'default', defaults } as unknown as Parts[0];
  const publisher = new HostPublisher(host, means);
  await publisher.end();
  expect(published).toEqual([]);
  await publisher.publish([], []);
  await publisher.end();
  const [before, after] = published.map(({ data }) => JSON.parse(data['host.json'] ?? '') as HostReport);
  expect([before, after].map((report) => report && isFresh(report, new Date()))).toEqual([true, false]);
});
