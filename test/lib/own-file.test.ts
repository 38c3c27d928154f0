import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logTail, openLog, rotateLog } from '../../src/lib/agent/machine/log-file.js';
import { ServerRecords, type ServerRecord } from '../../src/lib/agent/machine/server-record.js';
import { readOwnFile, writeOwnFile } from '../../src/lib/own-file.js';
import { readLedger } from '../../src/lib/guard/ledger/ledger-store.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';
import { writeTinyModel } from '../support/models/tiny-model.js';

let folder: { path: string; remove: () => Promise<void> };
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

/** Opening it would wait for a process at its other end, which no signal ends. */
function pipe(...path: string[]): string {
  const file = join(folder.path, ...path);
  execFileSync('mkfifo', [file]);
  return file;
}

test('a pipe in the place of the ledger is refused, not waited for, by those that read it and those that start', async () => {
  const file = pipe('ledger.json');
  const env = { LLMKUBE_STATE_DIR: folder.path };
  const model = join(folder.path, 'tiny.gguf');
  await writeTinyModel(model);
  for (const args of [['ledger'], ['exec', '--accelerator', 'cpu', '--', 'true', '-m', model]]) {
    const { stdout, stderr, exitCode } = await runCli(args, env);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 3 });
    expect(stderr).toContain(`${file} is no regular file`);
  }
});

test('so is one in the place of a turn of the lock', async () => {
  const { withLock } = await import('../../src/lib/guard/ledger/lock.js');
  const lock = join(folder.path, 'lock');
  mkdirSync(lock);
  const file = pipe('lock', 'turn.3');
  const self = { pid: process.pid, startedAt: 'boot+1' };
  await expect(withLock(lock, { self, find: () => self }, () => Promise.resolve(1))).rejects.toThrow(
    `${file} is no regular file`,
  );
});

test('a pipe among an agent’s records is none, and a record is written past one', () => {
  const records = new ServerRecords(folder.path, 'box');
  pipe('agents', 'box', 'default.b.json');
  pipe('agents', 'box', 'default.a.json.new');
  const self = { pid: process.pid, startedAt: 'boot+1' };
  const record: ServerRecord = {
    ...{ key: 'default/a', uid: 'u', fingerprint: 'f', file: '/bin/server', args: [], port: 1, logFile: '/l' },
    ...{ estimate: { parts: [], growth: [] }, process: self },
  };
  records.write(record);
  expect(records.alive([], () => self).map(({ key }) => key)).toEqual(['default/a']);
});

test('a log that is a pipe is set aside for a new one, and nothing is shown of it', () => {
  const file = pipe('a.log');
  expect(logTail(file, 5)).toBe('');
  openLog(file);
  writeFileSync(file, 'line\n');
  expect(logTail(file, 5)).toBe('line');
});

test('the older log is never written to a pipe that somebody put there', () => {
  const log = join(folder.path, 'a.log');
  pipe('a.log.1');
  writeFileSync(log, 'begins');
  truncateSync(log, 17 * 2 ** 20);
  rotateLog(log);
  expect(readFileSync(`${log}.1`).subarray(0, 6).toString()).toBe('begins');
});

test('an own file is written past a pipe and a link in its place, whose end stays as it was', () => {
  const own = join(folder.path, 'own');
  const other = join(folder.path, 'other');
  writeFileSync(other, 'of somebody else');
  symlinkSync(other, own);
  writeOwnFile(own, 'first');
  expect([readFileSync(own, 'utf8'), readFileSync(other, 'utf8')]).toEqual(['first', 'of somebody else']);
  writeOwnFile(pipe('piped'), 'second');
  expect(readOwnFile(join(folder.path, 'piped'))).toBe('second');
});

test('of a ledger of eight gigabytes little is read, and it counts as damaged', () => {
  const ledger = join(folder.path, 'ledger.json');
  writeFileSync(ledger, '{');
  truncateSync(ledger, 8 * 2 ** 30);
  expect(readLedger(folder.path, 'leave')).toMatchObject({
    entries: [],
    warning: expect.stringContaining('cannot be read'),
  });
});
