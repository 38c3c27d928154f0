import { describe, expect, test } from '@jest/globals';
import { askCli } from '../support/cli-session.js';

const MAC = [
  '--accelerator',
  'metal',
  '--system-memory',
  '64Gi',
  '--in-use',
  '4Gi',
  '-c',
  '8192',
  '--offline',
  '--llama-cpp',
  'b12032',
];
const COMPACT = ['-ctk', 'q8_0', '-ctv', 'q8_0'];
// 2053 is the first prime of ggml_hash_size from 1944 on, the 8 nodes for each of the file's 243 tensors (graph_max_nodes).
const TOO_LARGE =
  /llama\.cpp aborts on this launch: its graph has 2062 nodes, weights and inputs, and with this model there is\s+room\s+for\s+2053/;

interface Cell {
  readonly verdict: string;
  readonly reason?: string;
}

describe('a launch whose graph llama.cpp has no room for', () => {
  test.each([
    ['check-memory', ['check-memory', 'phi-4']],
    ['fit', ['fit', 'phi-4']],
    ['deploy', ['deploy', 'phi-4', '--dry-run', 'client']],
    ['compare, beside one that runs', ['compare', 'phi-4', 'llama-3.1-8b']],
    ['compare, alone', ['compare', 'phi-4', 'phi-4']],
    ['catalog check', ['catalog', 'check']],
  ])('could not be checked, with the same reason: %s', async (_name, words) => {
    const { stdout, stderr, exitCode } = await askCli([...words, ...MAC, ...COMPACT], { COLUMNS: '240' });
    expect(`${stdout}${stderr}`.replace(/\s+/g, ' ')).toMatch(TOO_LARGE);
    expect(exitCode).toBe(3);
  });

  test('is a verdict in JSON, not a mistake of the command line', async () => {
    const { stdout, exitCode } = await askCli(['check-memory', 'phi-4', ...MAC, ...COMPACT, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'unknown', error: { code: 'LAUNCH_GRAPH_TOO_LARGE' } });
    expect(exitCode).toBe(3);
  });

  test('would run with what is suggested, and takes no more then than with caches of 16 bits', async () => {
    const { stderr } = await askCli(['check-memory', 'phi-4', ...MAC, ...COMPACT]);
    const suggested = /Suggestion: use (.*)\n/.exec(stderr)?.[1]?.split(' or ') ?? [];
    const bytes = async (words: readonly string[]): Promise<number> => {
      const { stdout } = await askCli(['check-memory', 'phi-4', ...MAC, ...words, '--json']);
      return (JSON.parse(stdout) as { requirementBytes: number }).requirementBytes;
    };
    const most = await bytes([]);
    expect(suggested).not.toEqual([]);
    for (const flags of suggested) expect(await bytes([...COMPACT, ...flags.split(' ')])).toBeLessThanOrEqual(most);
  });
});

describe('a table with launches that llama.cpp refuses', () => {
  test('says below why, once', async () => {
    for (const view of ['--table', '--savings']) {
      const { stdout } = await askCli(['check-memory', 'phi-4', ...MAC, view]);
      expect(stdout.match(/^refused: llama\.cpp aborts/gm)).toHaveLength(1);
      expect(stdout.replaceAll(/\n +/g, ' ')).toMatch(TOO_LARGE);
    }
  });

  test('has a row of what single changes save for each of them', async () => {
    const words = ['check-memory', 'phi-4', ...MAC, '--savings'];
    const { stdout } = await askCli(words);
    expect(stdout).toMatch(/^-ctk q8_0 -ctv q8_0 +refused$/m);
    expect(stdout).toMatch(/^-ctk q4_0 -ctv q4_0 +refused$/m);
    const json = JSON.parse((await askCli([...words, '--json'])).stdout) as { savings: readonly Cell[] };
    expect(json.savings[0]).toEqual({
      flags: '-ctk q8_0 -ctv q8_0',
      savedBytes: null,
      estimated: false,
      verdict: 'refused',
      requirementBytes: null,
      budgetBytes: null,
      headroomBytes: null,
      limit: null,
      reason: expect.stringMatching(TOO_LARGE),
    });
  });

  test('is shown for a launch that is refused itself, with those that are not', async () => {
    const { stdout, exitCode } = await askCli(['check-memory', 'phi-4', ...MAC, ...COMPACT, '--table', '--machines']);
    expect(stdout).toMatch(/^ +8192 +10\.7GB ok +refused +refused$/m);
    expect(stdout).not.toContain('undefined');
    expect(exitCode).toBe(3);
  });

  test('of quantizations says why none of them runs', async () => {
    const words = ['check-memory', 'phi-4', ...MAC, ...COMPACT, '--by', 'quantization', '--json'];
    const { table } = JSON.parse((await askCli(words)).stdout) as { table: { rows: readonly Cell[] } };
    expect(new Set(table.rows.map(({ verdict }) => verdict))).toEqual(new Set(['refused']));
    for (const { reason } of table.rows) expect(reason).toMatch(TOO_LARGE);
  });
});
