import { describe, expect, test } from '@jest/globals';
import type { ObjectCalls } from '../../../src/lib/kube/client/object-calls.js';
import { hostConfigMap, type HostReport, isFresh, listHosts } from '../../../src/lib/kube/hosts.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const GIB = 2 ** 30;
const REPORT: HostReport = {
  ...{ agent: 'box', accelerator: 'cuda', totalBytes: 64 * GIB, inUseBytes: GIB, promisedBytes: 0, budgetBytes: GIB },
  ...{ gpuBudgetBytes: [GIB], build: 'b11434', services: [], heartbeat: NOW.toISOString() },
  check: {
    cpuArch: 'x86',
    memory: {
      ...{ source: 'measured', totalBytes: 64 * GIB, inUseBytes: GIB, notes: [] },
      gpus: [{ index: 0, name: 'card', totalBytes: 24 * GIB, usedBytes: 0 }],
    },
    policy: { fraction: 0.9 },
  },
};

type Changed = Record<string, Record<string, unknown>>;

async function read(change: (report: Changed) => void): Promise<HostReport | undefined> {
  const report = structuredClone(REPORT) as unknown as Changed;
  change(report);
  const list = async () => [hostConfigMap(report as unknown as HostReport, 'default')];
  return (await listHosts({ list } as unknown as ObjectCalls, 'default'))[0];
}

describe('what a host publishes', () => {
  test('is what others check with', async () => {
    expect(await read(() => undefined)).toEqual(REPORT);
  });

  test.each<[string, (check: Changed) => void]>([
    ['memory beyond any machine', (check) => Object.assign(check.memory ?? {}, { totalBytes: 1e300 })],
    ['a budget of more than everything', (check) => Object.assign(check.policy ?? {}, { fraction: 1000 })],
    ['a GPU whose name is an object', (check) => Object.assign(check.memory ?? {}, { gpus: [{ ...GPU, name: {} }] })],
    ['a GPU without a number', (check) => Object.assign(check.memory ?? {}, { gpus: [{ ...GPU, index: 'x' }] })],
    [
      'a cgroup whose path is a list',
      (check) => Object.assign(check.memory ?? {}, { cgroups: [{ ...GROUP, path: [] }] }),
    ],
    ['notes that are no text', (check) => Object.assign(check.memory ?? {}, { notes: [{}] })],
  ])('is not checked with: %s', async (_, change) => {
    const found = await read((report) => change(report.check as unknown as Changed));
    expect(found).toMatchObject({ agent: 'box' });
    expect(found?.check).toBeUndefined();
  });

  test('is none at all with amounts beyond any machine', async () => {
    expect(await read((report) => Object.assign(report, { totalBytes: 1e300 }))).toBeUndefined();
    expect(await read((report) => Object.assign(report, { gpuBudgetBytes: [-1e300] }))).toBeUndefined();
  });

  test.each([
    ['2025-12-31T23:58:00Z', true],
    ['2025-12-31T23:50:00Z', false],
    ['2026-01-01T00:01:00Z', true],
    ['9999-01-01T00:00:00Z', false],
    ['never', false],
  ])('with the heartbeat %s is of a host that is there: %s', (heartbeat, expected) => {
    expect(isFresh({ heartbeat }, NOW)).toBe(expected);
  });
});

const GPU = { index: 0, name: 'card', totalBytes: GIB, usedBytes: 0 };
const GROUP = { limitBytes: GIB, inUseBytes: 0 };
