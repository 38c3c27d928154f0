import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../../../../src/lib/guard/ledger/lock.js';
import type { FindProcess } from '../../../../src/lib/host/processes/processes.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

let folder: { path: string; remove: () => Promise<void> };
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const alive: FindProcess = (pid) => (pid < 100 ? { pid, startedAt: 'boot+1' } : undefined);
const as = (pid: number) => ({ self: { pid, startedAt: 'boot+1' }, find: alive });
const turns = (): string[] => readdirSync(folder.path).filter((name) => name.startsWith('turn.'));

test('one after the other, in whatever order they come', async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 1));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, (_, index) => withLock(folder.path, as(index + 1), work)));
  expect(most).toBe(1);
});

test.each([
  ['is dead', '{"pid":100,"startedAt":"boot+1"}'],
  ['has a number that another process got', '{"pid":7,"startedAt":"boot+0"}'],
  ['ended its turn', ''],
  ['wrote nothing that can be read, as after a loss of power', '{"pid":7,"sta'],
])('a turn is over when its holder %s', async (_why, holder) => {
  writeFileSync(join(folder.path, 'turn.41'), holder);
  await expect(withLock(folder.path, as(1), async () => turns().sort())).resolves.toEqual(['turn.41', 'turn.42']);
});

test('a living holder is waited for', async () => {
  writeFileSync(join(folder.path, 'turn.3'), '{"pid":7,"startedAt":"boot+1"}');
  let isIn = false;
  const waiting = withLock(folder.path, as(1), async () => (isIn = true));
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(isIn).toBe(false);
  writeFileSync(join(folder.path, 'turn.3'), '');
  await waiting;
  expect(isIn).toBe(true);
});

test('a clock that jumps by a day is no reason to give up waiting', async () => {
  writeFileSync(join(folder.path, 'turn.3'), '{"pid":7,"startedAt":"boot+1"}');
  const waiting = withLock(folder.path, as(1), async () => true);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 86_400_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  writeFileSync(join(folder.path, 'turn.3'), '');
  await expect(waiting).resolves.toBe(true);
  clock.mockRestore();
});

test('a number behind which there is no other is not waited for without end', async () => {
  writeFileSync(join(folder.path, 'turn.999999999999999'), '');
  const clock = jest.spyOn(process, 'uptime').mockReturnValueOnce(0).mockReturnValue(61);
  await expect(withLock(folder.path, as(1), async () => true)).rejects.toThrow('another start has been deciding');
  clock.mockRestore();
});

test('a failure inside ends the turn, too', async () => {
  await expect(withLock(folder.path, as(1), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(withLock(folder.path, as(2), async () => 'next')).resolves.toBe('next');
});

test('leaves some twenty small files, whatever happened before, and none of the dead', async () => {
  writeFileSync(join(folder.path, 'claim.4711.x'), '{}');
  for (let turn = 0; turn < 40; turn += 1) await withLock(folder.path, as(1), async () => undefined);
  expect(turns().length).toBeLessThan(20);
  expect(readdirSync(folder.path)).not.toContain('claim.4711.x');
  expect(readFileSync(join(folder.path, 'turn.40'), 'utf8')).toBe('');
});
