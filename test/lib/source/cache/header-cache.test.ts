import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { copyFile, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import type { GgufHeader, GgufTensor } from '../../../../src/lib/gguf/header.js';
import { GgufHeaderParser } from '../../../../src/lib/gguf/header-parser.js';
import { CacheFolder } from '../../../../src/lib/source/cache/cache-folder.js';
import { HeaderCache } from '../../../../src/lib/source/cache/header-cache.js';
import { smallModel } from '../../../support/models/small-models.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

function header(tensorName: string) {
  const { start, size } = smallModel(tensorName);
  const parser = new GgufHeaderParser('test.gguf', size);
  parser.push(start);
  return parser.end();
}

describe('the header cache', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let cache: HeaderCache;
  const files = () => readdir(join(folder.path, 'headers-v1'));

  beforeEach(async () => {
    folder = await temporaryFolder();
    cache = new HeaderCache(folder.path);
  });

  afterEach(async () => {
    await folder.remove();
  });

  test('gives back what was kept, for its own key only', async () => {
    await cache.keepHeader('key', { header: header('a'), etag: '"x"' });
    expect(await cache.header('key')).toEqual({ header: header('a'), etag: '"x"' });
    expect(await cache.header('other')).toBeUndefined();
    expect(await cache.resolution('key')).toBeUndefined();
  });

  test('gives back which file a source meant, where that is a commit and a path', async () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    await cache.keepResolution('key', { commit, path: 'a.gguf' });
    expect(await cache.resolution('key')).toEqual({ commit, path: 'a.gguf' });
    expect(await cache.header('key')).toBeUndefined();
    const store = new CacheFolder(folder.path);
    for (const stored of [
      { kind: 'header', commit, path: 'a.gguf' },
      { kind: 'resolution', commit: 'main', path: 'a.gguf' },
      { kind: 'resolution', commit, path: 7 },
    ]) {
      await store.write('key', stored);
      expect(await cache.resolution('key')).toBeUndefined();
    }
  });

  test('keeps no more tensors than 16384', async () => {
    const [tensor] = header('a').tensors as [GgufTensor];
    const many = (count: number): GgufHeader => ({
      ...header('a'),
      tensors: Array.from({ length: count }, (_, index) => ({ ...tensor, name: `t${index}` })),
    });
    await cache.keepHeader('too many', { header: many(16_385) });
    expect(await files().catch(() => [])).toEqual([]);
    await cache.keepHeader('as many', { header: many(16_384) });
    expect(await files()).toHaveLength(1);
  });

  test('keeps no key, which can hold secrets, and shows its files to nobody else', async () => {
    await cache.keepHeader('https://host/m?signature=secret', { header: header('a') });
    const [name = ''] = await files();
    const path = join(folder.path, 'headers-v1', name);
    expect(name + (await readFile(path, 'utf8'))).not.toContain('secret');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['no JSON', '{"kind":"header"'],
    ['nothing', ''],
    ['null', 'null'],
    ['another kind', '{"kind":"resolution"}'],
    ['no digest', '{"kind":"header"}'],
    ['a digest that is wrong', '{"kind":"header","digest":{"format":1,"version":3}}'],
    ['too much', ' '.repeat(8 * 2 ** 20 + 1)],
  ])('counts an entry that holds %s as none', async (_, text) => {
    await cache.keepHeader('key', { header: header('a') });
    const [name = ''] = await files();
    await writeFile(join(folder.path, 'headers-v1', name), text);
    expect(await cache.header('key')).toBeUndefined();
    await cache.keepHeader('key', { header: header('b') });
    expect((await cache.header('key'))?.header.tensors[0]?.name).toBe('b');
  });

  test('counts an entry as none of which anything was changed, or that was put in the place of another', async () => {
    await cache.keepHeader('key', { header: header('a') });
    const [name = ''] = await files();
    const path = join(folder.path, 'headers-v1', name);
    const text = await readFile(path, 'utf8');
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom('0', '9', ' ', 'x', ''), async (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        await writeFile(path, changed);
        expect(await cache.header('key')).toEqual(changed === text ? { header: header('a') } : undefined);
      }),
    );
    await writeFile(path, text);
    await cache.keepHeader('smaller', { header: header('b') });
    const smaller = (await files()).find((other) => other !== name) ?? '';
    await copyFile(join(folder.path, 'headers-v1', smaller), path);
    expect(await cache.header('key')).toBeUndefined();
  });

  test('does not wait for a pipe in the place of an entry, and writes over it', async () => {
    await cache.keepHeader('key', { header: header('a') });
    const path = join(folder.path, 'headers-v1', (await files())[0] ?? '');
    await rm(path);
    execFileSync('mkfifo', [path]);
    expect(await cache.header('key')).toBeUndefined();
    await cache.keepHeader('key', { header: header('a') });
    expect(await cache.header('key')).toEqual({ header: header('a') });
  });

  test('survives many writers and readers of one key', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `tensor-${index}`);
    await Promise.all(
      names.flatMap((name) => [
        new HeaderCache(folder.path).keepHeader('key', { header: header(name) }),
        new HeaderCache(folder.path).header('key'),
      ]),
    );
    expect(names).toContain((await cache.header('key'))?.header.tensors[0]?.name);
    expect(await files()).toHaveLength(1);
  });

  test('holds at most 1000 entries; those used last stay', async () => {
    const store = new CacheFolder(folder.path);
    for (let index = 0; index < 1000; index++) await store.write(`key-${index}`, { index });
    const names = await files();
    const longAgo = new Date('2020-01-01');
    await Promise.all(names.map((name) => utimes(join(store.path, name), longAgo, longAgo)));
    await writeFile(join(store.path, 'killed.tmp'), '');
    await utimes(join(store.path, 'killed.tmp'), longAgo, longAgo);
    expect(await store.read('key-7')).toEqual({ index: 7 });
    await store.write('one more', { index: -1 });
    expect((await store.usage()).entries).toBe(900);
    expect(await store.read('key-7')).toEqual({ index: 7 });
    expect(await store.read('one more')).toEqual({ index: -1 });
    expect(await files()).not.toContain('killed.tmp');
  });

  test('does without a folder, and without one that can be written', async () => {
    const none = new HeaderCache(undefined);
    await none.keepHeader('key', { header: header('a') });
    expect(await none.header('key')).toBeUndefined();
    await writeFile(join(folder.path, 'file'), '');
    const blocked = new HeaderCache(join(folder.path, 'file'));
    await blocked.keepHeader('key', { header: header('a') });
    expect(await blocked.header('key')).toBeUndefined();
  });

  test('can be counted and cleared', async () => {
    const store = new CacheFolder(folder.path);
    expect(await store.usage()).toEqual({ path: store.path, entries: 0, bytes: 0 });
    await store.write('key', { a: 1 });
    expect(await store.usage()).toEqual({ path: store.path, entries: 1, bytes: 65 + 7 });
    expect(await store.clear()).toEqual({ path: store.path, entries: 1, bytes: 65 + 7 });
    expect(await store.usage()).toEqual({ path: store.path, entries: 0, bytes: 0 });
  });
});
