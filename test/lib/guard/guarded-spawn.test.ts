import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  guardedSpawn,
  guardHere,
  type GuardedLaunch,
  type HostMemory,
  type MemoryEstimate,
} from '../../../src/index.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const GIB = 2 ** 30;

let folder: { path: string; remove: () => Promise<void> };
let children: ChildProcess[];
beforeEach(async () => {
  children = [];
  folder = await temporaryFolder();
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const child of children) child.kill('SIGKILL');
  await folder.remove();
});

/** 16 GiB, of which others use 4. */
const HOST: HostMemory = { source: 'measured', totalBytes: 16 * GIB, inUseBytes: 4 * GIB, notes: [] };

const machine = () =>
  guardHere({ accelerator: 'cpu' }, async () => HOST, { LLMKUBE_STATE_DIR: join(folder.path, 'state') });

const estimate = (gib: number): MemoryEstimate =>
  ({
    parts: [{ name: 'kv-cache', of: 'model', device: 'host', bytes: gib * GIB, accuracy: 'exact' }],
    growth: [],
    notes: [],
  }) as unknown as MemoryEstimate;

/** Everything may be used: 12 GiB are free. */
const launch = (gib: number, more: Partial<GuardedLaunch> = {}): GuardedLaunch => ({
  who: 'a test',
  estimate: estimate(gib),
  accelerator: 'cpu',
  policy: { fraction: 1 },
  program: { file: '/bin/sleep', args: ['60'], stdio: 'ignore' },
  ...more,
});

async function start(gib: number) {
  const outcome = await guardedSpawn(launch(gib), machine());
  if (outcome.kind === 'started') children.push(outcome.started.child);
  return outcome;
}

const entries = (): { pid: number; startedAt: string; decidedAt: string }[] =>
  (JSON.parse(readFileSync(join(folder.path, 'state', 'ledger.json'), 'utf8')) as { entries: [] }).entries;

describe('the library’s guardedSpawn', () => {
  test('starts what fits, in the ledger under the program’s own number, and takes it out when it is released', async () => {
    const outcome = await start(8);
    if (outcome.kind !== 'started') throw new Error('refused');
    const { child, entry, release } = outcome.started;
    expect(entries()).toEqual([entry]);
    expect(entry).toMatchObject({
      pid: child.pid,
      who: 'a test',
      state: 'promised',
      requirement: { hostBytes: 8 * GIB },
    });
    child.kill('SIGKILL');
    await release();
    expect(entries()).toEqual([]);
  });

  test('refuses what does not fit beside a promise: nothing runs, nothing is written, and the verdict says by how much', async () => {
    await start(8);
    const outcome = await start(5);
    expect(outcome.kind).toBe('refused');
    expect(outcome.verdict.limits[0]?.requiredBytes).toBe(5 * GIB);
    expect(Math.round((outcome.verdict.limits[0]?.budget.bytes ?? 0) / GIB)).toBe(4);
    expect(entries()).toHaveLength(1);
  });

  test('starts what somebody wants all the same, and writes it down in full', async () => {
    await start(8);
    const outcome = await guardedSpawn(launch(5, { evenIfTooLarge: true }), machine());
    if (outcome.kind !== 'started') throw new Error('refused');
    children.push(outcome.started.child);
    expect(entries()).toHaveLength(2);
    expect((await start(1)).kind).toBe('refused');
  });
});

test('what is kept for the next process of a service is free for that, and for no other', async () => {
  const outcome = await start(8);
  if (outcome.kind !== 'started') throw new Error('refused');
  await outcome.started.keep();
  const others = await guardedSpawn(launch(5, { who: 'another' }), machine());
  expect(others.kind).toBe('refused');
  expect((await start(12)).kind).toBe('started');
});

describe('no promise is lost or invented', () => {
  test('when the clock jumps, forwards or back', async () => {
    await start(8);
    for (const now of [0, 4e12]) {
      jest.spyOn(Date, 'now').mockReturnValue(now);
      expect((await start(5)).kind).toBe('refused');
    }
    expect((await start(2)).kind).toBe('started');
    expect(entries().map(({ decidedAt }) => decidedAt.slice(0, 4))).toEqual([expect.stringMatching(/^20/), '2096']);
  });

  test('when the number of a dead process has been given to another', async () => {
    await start(8);
    const [entry] = entries();
    children.pop()?.kill('SIGKILL');
    // Linux tells processes of one number apart by the clock tick that they start in, a hundredth of a second.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const other = spawn('/bin/sleep', ['60']);
    children.push(other);
    writeFileSync(
      join(folder.path, 'state', 'ledger.json'),
      JSON.stringify({ version: 1, entries: [{ ...entry, pid: other.pid }] }),
    );
    expect((await start(8)).kind).toBe('started');
    expect(entries().map(({ pid }) => pid)).toEqual([children.at(-1)?.pid]);
  });

  test('when the ledger cannot be read: it is set aside, and said', async () => {
    await start(8);
    writeFileSync(join(folder.path, 'state', 'ledger.json'), '{"version":1,');
    const outcome = await start(2);
    expect(outcome).toMatchObject({ kind: 'started', warning: expect.stringContaining('was set aside as') });
    expect(readdirSync(join(folder.path, 'state')).filter((name) => name.includes('.corrupt-'))).toHaveLength(1);
  });

  test('under a budget of which nobody knows any more what was promised: all that is in use counts, until the lost ledger is removed', async () => {
    const budget = { policy: { absoluteBytes: 10 * GIB } };
    await start(8);
    writeFileSync(join(folder.path, 'state', 'ledger.json'), '{"version":1,');
    const tooLarge = await guardedSpawn(launch(7, budget), machine());
    expect(tooLarge).toMatchObject({ kind: 'refused', verdict: { limits: [{ budget: { bytes: 6 * GIB } }] } });
    const small = await guardedSpawn(launch(2, budget), machine());
    if (small.kind === 'started') children.push(small.started.child);
    expect(small.kind).toBe('started');
    // The new ledger has the small one alone, and the lost one may have had others.
    expect((await guardedSpawn(launch(5, budget), machine())).kind).toBe('refused');
    for (const name of readdirSync(join(folder.path, 'state'))) {
      if (name.includes('.corrupt-')) rmSync(join(folder.path, 'state', name));
    }
    const known = await guardedSpawn(launch(5, budget), machine());
    if (known.kind === 'started') children.push(known.started.child);
    expect(known.kind).toBe('started');
  });

  test('when it cannot be written: the program never becomes what it was to be', async () => {
    const open = machine();
    const broken = { ...open, openState: () => join(open.openState(), 'gone') };
    const touched = join(folder.path, 'touched');
    const touching = launch(1, { program: { file: '/usr/bin/touch', args: [touched], stdio: 'ignore' } });
    writeFileSync(join(open.openState(), 'gone'), '');
    await expect(guardedSpawn(touching, broken)).rejects.toMatchObject({ code: 'STATE_FOLDER' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(existsSync(touched)).toBe(false);
  });
});
