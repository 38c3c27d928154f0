import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckIncompleteError } from '../../../../src/lib/errors.js';
import type { LedgerEntry } from '../../../../src/lib/guard/ledger/ledger.js';
import { besideLost, readLedger, writeLedger } from '../../../../src/lib/guard/ledger/ledger-store.js';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';
import { withLock } from '../../../../src/lib/guard/ledger/lock.js';
import { folderProblem, openStateFolder, stateFolderPath } from '../../../../src/lib/guard/ledger/state-folder.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

let folder: { path: string; remove: () => Promise<void> };
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const file = (): string => join(folder.path, 'ledger.json');
const entry: LedgerEntry = {
  who: 'llama-server model.gguf',
  pid: 4711,
  startedAt: 'boot+1',
  argvHash: 'ab',
  requirement: { hostBytes: 10, mappedBytes: 7, gpuBytes: [3] },
  decidedAt: '2026-11-01T00:00:00Z',
  state: 'promised',
};

describe('the ledger', () => {
  test('comes back as it was written, readable by nobody else', () => {
    writeLedger(folder.path, { entries: [entry] });
    expect(readLedger(folder.path, 'repair')).toEqual({ entries: [entry] });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  test('is empty where there is none', () => {
    expect(readLedger(join(folder.path, 'nowhere'), 'leave')).toEqual({ entries: [] });
  });

  test.each<[string, string]>([
    ['half of one', '{"version":1,"entries":[{"who":"a"'],
    ['nothing', ''],
    ['other JSON', '[]'],
    ['an entry without its start', '{"version":1,"entries":[{"who":"a","pid":1}]}'],
    [
      'a requirement below nothing, which would make room',
      JSON.stringify({ version: 1, entries: [{ ...entry, requirement: { ...entry.requirement, hostBytes: -1 } }] }),
    ],
    ['null', 'null'],
    ['no entries', '{"version":1}'],
    ['entries of an older program', JSON.stringify({ version: 0, entries: [entry] })],
    ...(
      [
        ['an entry that is none', null],
        ['a state of its own', { ...entry, state: 'kept' }],
        ['a process without a number', { ...entry, pid: 1.5 }],
        ['no requirement', { ...entry, requirement: null }],
        ['no amounts of GPUs', { ...entry, requirement: { hostBytes: 10, mappedBytes: 7 } }],
        ['an amount that is none', { ...entry, requirement: { ...entry.requirement, gpuBytes: [null] } }],
        ['names of GPUs that are no list', { ...entry, requirement: { ...entry.requirement, gpuIds: 'GPU-a' } }],
        ['names of GPUs that are none', { ...entry, requirement: { ...entry.requirement, gpuIds: [0] } }],
        ['a mark that is none', { ...entry, mark: 1 }],
      ] as const
    ).map(([what, one]) => [what, JSON.stringify({ version: 1, entries: [one] })] satisfies [string, string]),
  ])('that holds %s is set aside and said', (_what, text) => {
    writeFileSync(file(), text);
    const { entries, warning } = readLedger(folder.path, 'repair');
    expect(entries).toEqual([]);
    const [aside = ''] = readdirSync(folder.path);
    expect(warning).toContain(`was set aside as ${join(folder.path, aside)}`);
    expect(readFileSync(join(folder.path, aside), 'utf8')).toBe(text);
  });

  test('that was set aside leaves it unknown what was promised, for as long as it is there', () => {
    writeFileSync(file(), 'no');
    const { lostIn = '' } = readLedger(folder.path, 'repair');
    expect(lostIn).toMatch(/ledger\.json\.corrupt-\d+$/);
    expect(readLedger(folder.path, 'repair')).toEqual({ entries: [], lostIn });
    writeLedger(folder.path, { entries: [entry] });
    expect(readLedger(folder.path, 'leave')).toEqual({ entries: [entry], lostIn });
    rmSync(lostIn);
    expect(readLedger(folder.path, 'leave')).toEqual({ entries: [entry] });
  });

  test('whose promises are lost is said beside a budget of its own, which they would count against', () => {
    const host: HostMemory = { source: 'measured', totalBytes: 64, inUseBytes: 2, notes: ['before'] };
    const lost = { entries: [], lostIn: '/s/ledger.json.corrupt-1' };
    expect(besideLost(host, { entries: [] }, 32)).toBe(host);
    expect(besideLost(host, lost, undefined)).toEqual({ ...host, promisesUnknown: true });
    expect(besideLost(host, lost, 32)).toEqual({
      ...host,
      promisesUnknown: true,
      notes: ['before', expect.stringContaining('until /s/ledger.json.corrupt-1 is removed')],
    });
  });

  test('is nowhere below a file', () => {
    writeFileSync(file(), '');
    expect(readLedger(join(file(), 'state'), 'leave')).toEqual({ entries: [] });
  });

  test('is only reported by who may not change it', () => {
    writeFileSync(file(), 'no');
    expect(readLedger(folder.path, 'leave').warning).toContain('cannot be read');
    expect(readFileSync(file(), 'utf8')).toBe('no');
  });

  test('of another machine that shares the folder counts for nothing and is not written over', () => {
    const text = JSON.stringify({ version: 1, machine: 'that', entries: [entry] });
    writeFileSync(file(), text);
    expect(() => readLedger(folder.path, 'repair', 'this')).toThrow('is the ledger of another machine');
    expect(readLedger(folder.path, 'leave', 'this')).toMatchObject({
      entries: [],
      warning: expect.stringContaining('another machine'),
    });
    expect(readLedger(folder.path, 'repair', 'that').entries).toEqual([entry]);
    // Where nothing is promised, nothing is lost.
    writeFileSync(file(), JSON.stringify({ version: 1, machine: 'that', entries: [] }));
    expect(readLedger(folder.path, 'repair', 'this').entries).toEqual([]);
    // A machine that does not say its name is not told from others.
    writeFileSync(file(), JSON.stringify({ version: 1, entries: [entry] }));
    expect(readLedger(folder.path, 'repair', 'this').entries).toEqual([entry]);
  });

  test('of a newer llmkube is not touched: nothing starts', () => {
    writeFileSync(file(), '{"version":2,"promises":[]}');
    expect(() => readLedger(folder.path, 'repair')).toThrow('was written by a newer llmkube');
  });

  test('clears away what a writer that was killed has left', () => {
    writeFileSync(`${file()}.999.tmp`, '{"ver');
    writeLedger(folder.path, { entries: [] });
    expect(readdirSync(folder.path)).toEqual(['ledger.json']);
  });
});

/** What a person is told, and what to do. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const { message, options } = error as CheckIncompleteError;
    return `${message}; ${options.suggestions?.join()}`;
  }
  return 'not refused';
}

describe('the state folder', () => {
  test('is where each system keeps state, or where LLMKUBE_STATE_DIR says', () => {
    expect(stateFolderPath({ HOME: '/Users/a' }, 'darwin')).toBe('/Users/a/Library/Application Support/llmkube');
    expect(stateFolderPath({ HOME: '/home/a' }, 'linux')).toBe('/home/a/.local/state/llmkube');
    expect(stateFolderPath({ HOME: '/home/a', XDG_STATE_HOME: '/s' }, 'linux')).toBe('/s/llmkube');
    expect(stateFolderPath({ HOME: '/home/a', LLMKUBE_STATE_DIR: '/x' }, 'darwin')).toBe('/x');
    expect(stateFolderPath({ HOME: '/home/a', XDG_STATE_HOME: 's' }, 'linux')).toBe('/home/a/.local/state/llmkube');
  });

  test('is the same wherever a program is started', () => {
    expect(() => stateFolderPath({ LLMKUBE_STATE_DIR: 'state' })).toThrow(
      /LLMKUBE_STATE_DIR says state, which is another/,
    );
  });

  test('is made for its user only, and closed to others where it was open', () => {
    const path = join(folder.path, 'a', 'b');
    expect(statSync(openStateFolder(path)).mode & 0o777).toBe(0o700);
    const open = join(folder.path, 'open');
    mkdirSync(open, { mode: 0o777 });
    expect(statSync(openStateFolder(open)).mode & 0o777).toBe(0o700);
  });

  test('is refused when it is somebody else’s, or no folder', () => {
    expect(folderProblem({ isDirectory: () => true, uid: 501 }, 502)?.[0]).toBe('belongs to another user (uid 501)');
    expect(folderProblem({ isDirectory: () => true, uid: 501 }, 501)).toBeUndefined();
    writeFileSync(file(), '');
    expect(() => openStateFolder(file())).toThrow(`the state folder ${file()} is no folder`);
  });

  test('is refused with what is in its way and what to do about that', () => {
    writeFileSync(file(), '');
    expect(refusal(() => openStateFolder(file()))).toMatch(/is no folder, .*; remove what is in its place, or name/);
    expect(refusal(() => openStateFolder(join(file(), 'state')))).toMatch(
      /a file stands .*; remove that file, or name/,
    );
    symlinkSync('nothing', join(folder.path, 'link'));
    expect(refusal(() => openStateFolder(join(folder.path, 'link')))).toMatch(
      /something else stands in its place.*; remove the link, or/,
    );
  });

  test('is not blamed for what is in the way in it', async () => {
    writeFileSync(join(folder.path, 'lock'), '');
    const surroundings = { self: { pid: process.pid, startedAt: 'now' }, find: () => undefined };
    const taken = withLock(join(folder.path, 'lock'), surroundings, async () => 'done');
    await expect(taken).rejects.toThrow(`lock in the state folder ${folder.path} is no folder`);
  });

  const onLinux = process.platform === 'linux' ? test : test.skip;

  onLinux('is refused, not tried for ever, where the system makes none', () => {
    expect(() => openStateFolder('/proc/self/llmkube/state')).toThrow('the state folder /proc/self/llmkube/state');
  });
});
