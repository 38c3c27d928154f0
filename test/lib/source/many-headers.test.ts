import { expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckIncompleteError } from '../../../src/lib/errors.js';
import { withHeadersOf } from '../../../src/lib/source/many-headers.js';

test('what a missing file may have meant is looked for where a person goes through the list, not for thousands', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'llmkube-test-'));
  try {
    await writeFile(join(folder, 'tiny.gguf'), 'GGUF');
    const suggested = async (count: number): Promise<readonly string[]> => {
      const models = Array.from({ length: count }, () => ({ source: join(folder, 'tinny.gguf') }));
      const found = await withHeadersOf(models, {}, async ({ source }, readHeader) => {
        const error: unknown = await readHeader({ source, entry: undefined, quantization: undefined }).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(CheckIncompleteError);
        expect(error).toMatchObject({ code: 'SOURCE_FILE_UNREADABLE' });
        return (error as CheckIncompleteError).options.suggestions ?? [];
      });
      return found.flat();
    };
    expect(await suggested(2)).toEqual(Array.from({ length: 2 }, () => `did you mean ${join(folder, 'tiny.gguf')}?`));
    expect(await suggested(1000)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
