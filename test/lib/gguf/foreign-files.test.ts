import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { readModelHeader } from '../../../src/lib/source/open.js';
import { readGgufHeader } from '../../../src/lib/source/read-header.js';
import { comparable, readWithHuggingFace } from '../../support/models/other-readers.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { temporaryFolder } from '../../support/sparse-file.js';

/** With the vocabulary sizes of the models they were made from. */
const FILES = [
  { name: 'ggml-vocab-bert-bge', architecture: 'bert', tokens: 30522 },
  { name: 'ggml-vocab-llama-spm', architecture: 'llama', tokens: 32000 },
  { name: 'ggml-vocab-deepseek-coder', architecture: 'llama', tokens: 32256 },
];

describe('a file that this project did not write', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: RangeServer;
  const pathOf = (name: string): string => join(folder.path, `${name}.gguf`);

  beforeAll(async () => {
    [folder, server] = await Promise.all([temporaryFolder(), RangeServer.start()]);
    for (const { name } of FILES) {
      const packed = await readFile(fileURLToPath(new URL(`../../fixtures/${name}.gguf.gz`, import.meta.url)));
      const start = gunzipSync(packed);
      await writeFile(pathOf(name), start);
      server.serve(`/${name}.gguf`, { start });
    }
  });

  afterAll(async () => {
    await Promise.all([folder.remove(), server.close()]);
  });

  test.each(FILES)(
    '$name: every key and tensor is what @huggingface/gguf reads',
    async ({ name, architecture, tokens }) => {
      const header = await readGgufHeader(pathOf(name));
      expect(comparable(header)).toEqual(await readWithHuggingFace(pathOf(name), header));
      expect(header.metadata.get('general.architecture')).toBe(architecture);
      expect(header.metadata.get('tokenizer.ggml.tokens')).toEqual({ skipped: true, length: tokens });
    },
  );

  test.each(FILES)('$name: reads the same from a server', async ({ name }) => {
    const { header } = await readModelHeader({ kind: 'http', url: server.url(`/${name}.gguf`) });
    expect(header).toEqual(await readGgufHeader(pathOf(name)));
  });
});
