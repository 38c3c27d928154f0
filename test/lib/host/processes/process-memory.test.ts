import { expect, test } from '@jest/globals';
import { linuxProcessMemory, linuxSharedPages } from '../../../../src/lib/host/processes/process-memory.js';

const status = (lines: Readonly<Record<string, number>>): string =>
  ['Name:\tllama-server', ...Object.entries(lines).map(([name, kB]) => `${name}:\t  ${kB} kB`), ''].join('\n');

const ofStatus = (text: string) => linuxProcessMemory(7, (path) => (path === '/proc/7/status' ? text : undefined));

test('a process holds its own pages, and of files those that it has locked', () => {
  const plain = { VmLck: 0, RssAnon: 30, RssFile: 100, RssShmem: 2 };
  expect(ofStatus(status(plain))).toEqual({ anonymousBytes: 32 * 1024 });
  expect(ofStatus(status({ ...plain, VmLck: 80 }))).toEqual({ anonymousBytes: 32 * 1024, lockedBytes: 80 * 1024 });
  // Buffers of its own may be locked, too.
  expect(ofStatus(status({ ...plain, VmLck: 120 }))?.lockedBytes).toBe(100 * 1024);
});

test('a process is in the group that the unified hierarchy names', () => {
  const files: Readonly<Record<string, string>> = {
    '/proc/7/status': status({ RssAnon: 30 }),
    '/proc/7/cgroup': '4:memory:/old\n0::/user.slice/run.scope\n',
  };
  expect(linuxProcessMemory(7, (path) => files[path])).toEqual({
    anonymousBytes: 30 * 1024,
    cgroup: '/user.slice/run.scope',
  });
});

test('the pages of files and shared memory are the third number of statm: size, resident, shared', () => {
  const statm = (text: string) => linuxSharedPages('7', (path) => (path === '/proc/7/statm' ? text : undefined));
  expect(statm('52031 48210 47005 12 0 1020 0\n')).toBe(47_005);
});

test('of one that is gone nothing is known', () => {
  expect(linuxProcessMemory(7, () => undefined)).toBeUndefined();
  expect(linuxSharedPages('7', () => undefined)).toBeUndefined();
});
