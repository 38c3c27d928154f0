import { expect, test } from '@jest/globals';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { totalBytes } from '../../../../src/lib/estimate/memory-estimate.js';
import { machineChanges, roomOf } from '../../../../src/lib/preflight/advice/machine-changes.js';
import { typedChanges } from '../../../../src/lib/preflight/advice/typed-changes.js';
import { Trials } from '../../../../src/lib/preflight/advice/trials.js';
import type { CompletedVerdict } from '../../../../src/lib/preflight/judge/verdict.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192 };

/** What is proposed on a Mac of 64 GB whose other programs use so much beside the model. */
async function proposed(inUseBytes: (neededBytes: number) => number) {
  const shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
  const needed = totalBytes(estimateMemory(shape, launch));
  const before = inUseBytes(needed);
  const trials = new Trials(roomOf(64 * GIB, before, true));
  const verdict = trials.judge(shape, launch) as CompletedVerdict;
  expect(verdict.kind).toBe('does-not-fit');
  return { before, changes: machineChanges(trials, { shape, launch, verdict }, []).flatMap(({ changes }) => changes) };
}

test('a higher fraction is proposed only where an eighth of the machine stays for the system', async () => {
  const leaving = (gigabytes: number) => proposed((needed) => 64 * GIB - needed - gigabytes * GIB);
  const kinds = async (gigabytes: number) => (await leaving(gigabytes)).changes.map(({ kind }) => kind);
  // 64 / 8 = 8: nine may stay, seven are too few, though more than four
  expect(await kinds(9)).toContain('memory-fraction');
  expect(await kinds(7)).not.toContain('memory-fraction');
});

test('what is to be freed and what is to stay in use are together no more than is in use now', async () => {
  // 64 × 0.75 = 48 for the model and the others; 300 MiB too many are in use
  const { before, changes } = await proposed((needed) => 48 * GIB - needed + 300 * MIB);
  const freed = changes.find(({ kind }) => kind === 'free-memory');
  const { freeBytes = 0, inUseBytes = 0 } = freed as { freeBytes?: number; inUseBytes?: number };
  expect(freeBytes).toBeCloseTo(0.3 * GIB, 3);
  expect(inUseBytes + freeBytes).toBeLessThanOrEqual(before);
  expect(inUseBytes + freeBytes).toBeGreaterThan(before - MIB);
});

test('of what other programs hold, two gigabytes are the system’s own and are not to be freed', async () => {
  const shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
  const onCpu: LaunchOptions = { ...launch, accelerator: 'cpu' };
  const needed = totalBytes(estimateMemory(shape, onCpu));
  const isProposed = (staysBytes: number): boolean => {
    const trials = new Trials(roomOf(needed + staysBytes, staysBytes + GIB, false, 1));
    const verdict = trials.judge(shape, onCpu) as CompletedVerdict;
    const changes = machineChanges(trials, { shape, launch: onCpu, verdict }, []).flatMap((one) => one.changes);
    return changes.some(({ kind }) => kind === 'free-memory');
  };
  // A tenth more or less, which is the step
  expect([isProposed(2.2 * GIB), isProposed(1.8 * GIB)]).toEqual([true, false]);
});

test('what may stay in use is typed in whole mebibytes, not above it; what is in use on another machine not below', () => {
  const inUseBytes = 5 * GIB + MIB / 2;
  const freed = typedChanges([{ kind: 'free-memory', freeBytes: GIB, inUseBytes }], []);
  expect(freed.flags).toEqual(['--in-use 5120Mi']);
  const other = typedChanges([{ kind: 'machine', gigabytes: 64, memory: 'system', inUseBytes }], []);
  expect(other.flags).toEqual(['--system-memory 64Gi', '--in-use 5121Mi']);
});

test("Metal's limit is proposed to be raised to what the model needs, in steps of 256 MiB, where an eighth stays for the system", async () => {
  const shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
  const estimate = estimateMemory(shape, launch);
  const [needed, onGpu] = [totalBytes(estimate), totalBytes(estimate, 'gpu')];
  const proposedWith = (staysBytes: number) => {
    const room = roomOf(64 * GIB, 64 * GIB - needed - staysBytes, true, 1);
    const trials = new Trials({ ...room, host: { ...room.host, gpuWiredLimitBytes: 16 * GIB } });
    const verdict = trials.judge(shape, launch) as CompletedVerdict;
    expect(verdict.limits[0]).toMatchObject({ name: 'gpu', requiredBytes: onGpu });
    return machineChanges(trials, { shape, launch, verdict }, []).flatMap(({ changes }) => changes);
  };
  const mebibytes = Math.ceil(onGpu / MIB / 256) * 256;
  expect(proposedWith(9 * GIB)).toEqual([{ kind: 'wired-limit', mebibytes, leftBytes: 9 * GIB }]);
  expect(proposedWith(7 * GIB)).toEqual([]);
});

test('a cgroup’s limit, and a budget that somebody has set, are not the machine’s to change', async () => {
  const shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
  const onCpu: LaunchOptions = { ...launch, accelerator: 'cpu' };
  const { host } = roomOf(64 * GIB, 10 * GIB, false);
  const cgroups = [{ limitBytes: 24 * GIB, inUseBytes: 10 * GIB }];
  for (const room of [
    { host: { ...host, cgroups }, policy: {} },
    { host, policy: { absoluteBytes: 8 * GIB } },
  ]) {
    const trials = new Trials(room);
    const verdict = trials.judge(shape, onCpu) as CompletedVerdict;
    expect(verdict.kind).toBe('does-not-fit');
    expect(machineChanges(trials, { shape, launch: onCpu, verdict }, [])).toEqual([]);
  }
});
