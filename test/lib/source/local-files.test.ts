import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readGgufHeader } from '../../../src/lib/source/read-header.js';
import { readModelHeader } from '../../../src/lib/source/open.js';
import { bigModel, modelPart, smallModel } from '../../support/models/small-models.js';
import type { ServedFile } from '../../support/servers/range-server.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

describe('reading a local file', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const put = async (name: string, file: ServedFile): Promise<string> => {
    const path = join(folder.path, name);
    await writeSparseFile(path, file.start, file.size ?? file.start.length);
    return path;
  };

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    await folder.remove();
  });

  test('reads no more than the header of a file of many gigabytes', async () => {
    const file = bigModel();
    const path = await put('model.gguf', file);
    let bytes = 0;
    const header = await readGgufHeader(path, { onRead: (count) => (bytes += count) });
    expect(header.files).toEqual([{ bytes: file.size, dataOffsetBytes: file.start.length }]);
    expect(bytes - file.unpaddedBytes).toBeLessThanOrEqual(256 * 1024);
  });

  test('brings in all parts of a split model, given the first', async () => {
    for (const part of [1, 2, 3]) await put(`m-0000${part}-of-00003.gguf`, modelPart(part, 3));
    const header = await readGgufHeader(join(folder.path, 'm-00001-of-00003.gguf'));
    expect(header.tensors.map(({ name, file }) => [name, file])).toEqual([
      ['blk.0.attn_q.weight', 0],
      ['blk.1.attn_q.weight', 1],
      ['blk.2.attn_q.weight', 2],
    ]);
    expect(header.metadata.get('general.architecture')).toBe('llama');
    expect(header.files).toHaveLength(3);
  });

  test('refuses every part but the first, as llama.cpp does, and names the first', async () => {
    await put('m-00001-of-00002.gguf', modelPart(1, 2));
    const path = await put('m-00002-of-00002.gguf', modelPart(2, 2));
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FIRST_PART',
      exitCode: 3,
      message: `${path} is part 2 of 2, and llama.cpp loads a split model by its first part only`,
      options: { suggestions: ['name m-00001-of-00002.gguf instead, which finds the others'] },
    });
  });

  test('refuses a split model of which there is the first part alone, naming the other', async () => {
    const path = await put('m-00001-of-00002.gguf', modelPart(1, 2));
    const part = 'm-00002-of-00002.gguf';
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: 'SOURCE_FILE_UNREADABLE',
      exitCode: 3,
      message: `cannot read ${path}: part 2 of 2 is missing; there is no ${join(folder.path, part)}`,
      options: { suggestions: [`put ${part} beside it; llama-server needs every part`] },
    });
  });

  test('says of a model of more parts than are read that they are too many, not that its name is wrong', async () => {
    const path = await put('m-00001-of-65535.gguf', modelPart(1, 65535));
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: 'SOURCE_FILE_UNREADABLE',
      message: `${path} says that it is one of 65535 parts of a split model, more than the 1024 that are read; fetch it again, or merge it with gguf-split`,
    });
  });

  test('refuses parts of different splits', async () => {
    const path = await put('m-00001-of-00002.gguf', modelPart(1, 2));
    await put('m-00002-of-00002.gguf', modelPart(2, 3));
    await expect(readGgufHeader(path)).rejects.toMatchObject({ code: 'GGUF_SHARDS_INVALID', exitCode: 3 });
  });

  test('refuses a part whose name does not say that it is one', async () => {
    const path = await put('renamed.gguf', modelPart(1, 2));
    await expect(readGgufHeader(path)).rejects.toMatchObject({
      code: 'SOURCE_FILE_UNREADABLE',
      message: expect.stringContaining('is one of 2 parts of a split model') as unknown,
    });
  });

  test('says what is wrong with a path', async () => {
    await mkdir(join(folder.path, 'models'));
    execFileSync('mkfifo', [join(folder.path, 'pipe')]);
    await symlink('circle', join(folder.path, 'circle'));
    const refused = async (name: string): Promise<string> =>
      readGgufHeader(join(folder.path, name)).then(
        () => 'was read',
        (error: Error) => error.message.replace(folder.path, ''),
      );
    expect(await refused('missing.gguf')).toBe('cannot read /missing.gguf: there is no such file');
    expect(await refused('models')).toBe('cannot read /models: it is a folder; name the .gguf file in it');
    expect(await refused('pipe')).toBe('cannot read /pipe: it is not a file but a device or a pipe');
    expect(await refused('circle')).toBe('cannot read /circle: its links lead in a circle');
  });

  test('refuses a file that was cut, by its size', async () => {
    const { start, size = 0 } = smallModel();
    const path = await put('cut.gguf', { start, size: size - 1 });
    await expect(readGgufHeader(path)).rejects.toMatchObject({ code: 'GGUF_TRUNCATED', exitCode: 3 });
  });

  test('stops when it is told to', async () => {
    const path = await put('model.gguf', bigModel());
    const controller = new AbortController();
    const reading = readGgufHeader(path, { signal: controller.signal, onRead: () => controller.abort() });
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_CANCELLED' });
  });

  test('is answered from the cache until the file changes', async () => {
    const cacheDir = join(folder.path, 'cache');
    const path = await put('model.gguf', smallModel('first.weight'));
    const read = () => readModelHeader({ kind: 'file', path }, { cacheDir });
    expect(await read()).toMatchObject({ fromCache: false, path });
    expect(await read()).toMatchObject({ fromCache: true, bytesRead: 0 });
    await put('model.gguf', smallModel('second.weight'));
    const changed = await read();
    expect(changed.fromCache).toBe(false);
    expect(changed.header.tensors.map(({ name }) => name)).toEqual(['second.weight']);
  });

  test('keeps nothing of a file that was refused', async () => {
    const path = join(folder.path, 'bad.gguf');
    await writeFile(path, 'not a model');
    const cacheDir = join(folder.path, 'cache');
    await expect(readModelHeader({ kind: 'file', path }, { cacheDir })).rejects.toMatchObject({
      code: 'GGUF_NOT_GGUF',
    });
    expect(await readdir(folder.path)).toEqual(['bad.gguf']);
  });
});
