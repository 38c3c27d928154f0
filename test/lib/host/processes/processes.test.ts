import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProcessHere, glanceAtProcesses, sameProcess } from '../../../../src/lib/host/processes/processes.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

describe('a process of a Mac, as its ps tells it', () => {
  let folder: { path: string; remove: () => Promise<void> };
  const { PATH = '' } = process.env;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(async () => {
    process.env.PATH = PATH;
    await folder.remove();
  });

  /** A ps that notes how it was asked. */
  const ps = (output: string, exitCode = 0): void => {
    const script = `#!/bin/sh\necho "$LC_ALL $TZ $*" > ${join(folder.path, 'asked')}\nprintf '%s' '${output}'\nexit ${exitCode}\n`;
    writeFileSync(join(folder.path, 'ps'), script);
    chmodSync(join(folder.path, 'ps'), 0o755);
    process.env.PATH = `${folder.path}:${PATH}`;
  };

  test('is its number and its start, whatever the time zone', () => {
    ps('  501 Ss   Wed Nov 25 10:00:07 2026    \n');
    expect(findProcessHere('darwin')(501)).toEqual({ pid: 501, startedAt: 'Wed Nov 25 10:00:07 2026' });
  });

  test.each([
    ['nobody has the number', '', 1],
    ['it is dead and only not yet waited for', '  501 Z    Wed Nov 25 10:00:07 2026\n', 0],
    ['ps says something else', 'ps: illegal option\n', 0],
  ])('is gone when %s', (_why, output, exitCode) => {
    ps(output, exitCode);
    expect(findProcessHere('darwin')(501)).toBeUndefined();
  });
});

(process.platform === 'linux' ? describe : describe.skip)('a process of this Linux machine', () => {
  test('is the same as long as it lives, and gone when it is dead but not yet waited for', async () => {
    const find = findProcessHere('linux');
    const self = find(process.pid);
    expect(self).toMatchObject({ pid: process.pid, startedAt: expect.stringMatching(/^[0-9a-f-]{36}\+\d+$/) });
    const child = spawn('sleep', ['60']);
    const before = find(child.pid ?? 0);
    expect(before && sameProcess(find(before.pid), before)).toBe(true);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    expect(find(before?.pid ?? 0)).toBeUndefined();
  });
});

(process.platform === 'linux' ? test : test.skip)(
  'a process of Linux is told by when it started, in ticks since boot, whatever blanks and parentheses its name has',
  async () => {
    const folder = await temporaryFolder();
    const program = join(folder.path, 'a) Z 1 (b');
    symlinkSync('/bin/sleep', program);
    const ticks = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 100;
    const before = ticks();
    const child = spawn(program, ['60']);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const started = Number(findProcessHere('linux')(child.pid ?? 0)?.startedAt.split('+')[1]);
    child.kill('SIGKILL');
    await gone;
    await folder.remove();
    expect(started).toBeGreaterThanOrEqual(Math.floor(before) - 1);
    expect(started).toBeLessThanOrEqual(ticks() + 1);
  },
);

test('a glance runs a program once for each process, and notices its end all the same', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  let looks = 0;
  const glance = glanceAtProcesses((asked) => {
    looks += 1;
    return { pid: asked, startedAt: 'once' };
  }, 'darwin');
  expect([glance(pid), glance(pid), glance(pid)]).toEqual(Array(3).fill({ pid, startedAt: 'once' }));
  expect(looks).toBe(1);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  expect(glance(pid)).toBeUndefined();
  expect(looks).toBe(1);
});
