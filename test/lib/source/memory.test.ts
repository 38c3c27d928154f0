import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGguf, type GgufSpec, GgufWriter } from '../../support/models/gguf-writer.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

const SCRIPT = fileURLToPath(new URL('../../support/peak-memory.mjs', import.meta.url));
const MOST_BYTES = 64 * 2 ** 20;

function start(tensorCount: number, keyCount: number): GgufWriter {
  return new GgufWriter().raw('GGUF').u32(3).u64(tensorCount).u64(keyCount);
}

describe('reading a header takes less than 64 MB of memory', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const grown = (path: string) =>
    JSON.parse(execFileSync(process.execPath, [SCRIPT, path], { encoding: 'utf8' })) as {
      grownBytes: number;
      outcomes: unknown[];
    };
  const build = async (spec: GgufSpec): Promise<string> => {
    const { header, dataBytes } = buildGguf(spec);
    const path = join(folder.path, 'model.gguf');
    await writeSparseFile(path, header, header.length + dataBytes);
    return path;
  };

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    await folder.remove();
  });

  test('of a file of 20 GB', async () => {
    const tensors = Array.from({ length: 40 }, (_, index) => ({
      name: `t${index}`,
      dims: [2 ** 10, 2 ** 18],
      type: 'F16',
    }));
    const { grownBytes, outcomes } = grown(await build({ tensors }));
    expect(outcomes).toEqual([40]);
    expect(grownBytes).toBeLessThan(MOST_BYTES);
  });

  test('of as many tensors as may be', async () => {
    const name = (index: number): string => `${index}-`.padEnd(63, 'x');
    const tensors = Array.from({ length: 65536 }, (_, index) => ({
      name: name(index),
      dims: [8, 1, 1, 1],
      type: 'F32',
    }));
    const { grownBytes, outcomes } = grown(await build({ tensors }));
    expect(outcomes).toEqual([65536]);
    expect(grownBytes).toBeLessThan(MOST_BYTES);
  });

  test('of as much metadata as may be', async () => {
    const metadata = Array.from({ length: 8000 }, (_, index) => [`k${index}`, 'x'.repeat(250), 'str'] as const);
    const { grownBytes, outcomes } = grown(await build({ metadata }));
    expect(outcomes).toEqual([0]);
    expect(grownBytes).toBeLessThan(MOST_BYTES);
  });

  test('of a vocabulary of 90 MB', async () => {
    const path = join(folder.path, 'model.gguf');
    const file = await open(path, 'w');
    await file.write(start(0, 1).string('tokenizer.ggml.tokens').u32(9).u32(8).u64(3_932_160).bytes());
    const words = new Uint8Array(9 * 2 ** 20);
    for (let at = 0; at < words.length; at += 24) words[at] = 16;
    for (let chunk = 0; chunk < 10; chunk++) await file.write(words);
    await file.close();
    const { grownBytes, outcomes } = grown(path);
    expect(outcomes).toEqual([0]);
    expect(grownBytes).toBeLessThan(MOST_BYTES);
  });

  test.each([
    ['a string of 100 MB', start(0, 1).string('k').u32(8).u64(100e6)],
    ['an array of 4 million numbers', start(0, 1).string('k').u32(9).u32(12).u64(4e6)],
  ])('of a file that has %s', async (_, writer) => {
    const path = join(folder.path, 'model.gguf');
    await writeSparseFile(path, writer.bytes(), 120 * 2 ** 20);
    const { grownBytes, outcomes } = grown(path);
    expect(outcomes).toEqual([0]);
    expect(grownBytes).toBeLessThan(MOST_BYTES);
  });
});
