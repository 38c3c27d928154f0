import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logTail, openLog } from '../../../../src/lib/agent/machine/log-file.js';
import { ServerRecords, type ServerRecord } from '../../../../src/lib/agent/machine/server-record.js';
import { runCli } from '../../../support/run-cli.js';
import { temporaryFolder } from '../../../support/sparse-file.js';
import { writeTinyModel } from '../../../support/tiny-model.js';

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
  const { withLock } = await import('../../../../src/lib/guard/ledger/lock.js');
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
