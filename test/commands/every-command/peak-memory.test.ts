import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

const PRELOADED = fileURLToPath(new URL('../../support/peak-memory.cjs', import.meta.url));
const MOST_BYTES = 200 * 2 ** 20;
const MACHINE = ['--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '0'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const path = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  const tensors = Array.from({ length: 65_536 }, (_, index) => ({
    name: `blk.${index % 512}.${index}.weight`.padEnd(63, 'x'),
    dims: [256 * (1 + (index % 7)), 1 + (index % 1021), 1 + (index % 3)],
    type: 'Q4_K',
  }));
  const { header, dataBytes } = buildGguf({ tensors });
  await writeSparseFile(path('many.gguf'), header, header.length + dataBytes);
  const entry = (i: number): string => `  m-${i}:\n    source: hf:a${i % 99}/b-${i}:Q4_K_M\n    name: Model ${i}\n`;
  writeFileSync(path('long.yaml'), `models:\n${Array.from({ length: 10_000 }, (_, i) => entry(i)).join('')}`);
});
afterAll(() => folder.remove());

const MOST_GROWTH_BYTES = 70 * 2 ** 20;

test.each([[['--tensors']], [['--tensors', '--json']]])(
  'what 65,536 tensors take to be listed is little beside what they take to be read: %j',
  async (flags) => {
    const peakOf = async (words: readonly string[]): Promise<number> => {
      const env = cliEnvironment({ PEAK_MEMORY_FILE: path('peak'), XDG_CACHE_HOME: path('no cache') });
      const { exitCode } = await run(process.execPath, ['--require', PRELOADED, RUN_JS, ...words], env);
      expect(exitCode).toBe(0);
      return Number(readFileSync(path('peak'), 'utf8'));
    };
    const grown = (await peakOf(['inspect', path('many.gguf'), ...flags])) - (await peakOf(['version']));
    expect(grown).toBeLessThan(MOST_GROWTH_BYTES);
  },
);

describe('no command takes more than 200 MB', () => {
  test.each([
    [3, ['check-memory', 'many.gguf', ...MACHINE]],
    [0, ['inspect', 'many.gguf']],
    [0, ['inspect', 'many.gguf', '--json', '--tensors']],
    [0, ['inspect', 'many.gguf', '--tensors']],
    [3, ['catalog', 'check', '--catalog', 'long.yaml', '--offline', ...MACHINE]],
  ])('exit %i: %j', async (code, words) => {
    const args = words.map((word) => (/^(many|long)\./.test(word) ? path(word) : word));
    const env = cliEnvironment({
      PEAK_MEMORY_FILE: path('peak'),
      XDG_CACHE_HOME: path(`cache ${words.join(' ')}`.slice(0, 60)),
    });
    const { exitCode } = await run(process.execPath, ['--require', PRELOADED, RUN_JS, ...args], env);
    expect(exitCode).toBe(code);
    expect(Number(readFileSync(path('peak'), 'utf8'))).toBeLessThan(MOST_BYTES);
  });
});
