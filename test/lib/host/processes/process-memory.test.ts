import { expect, test } from '@jest/globals';
import { linuxProcessMemory } from '../../../../src/lib/host/processes/process-memory.js';

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

test('of one that is gone nothing is known', () => {
  expect(linuxProcessMemory(7, () => undefined)).toBeUndefined();
});
