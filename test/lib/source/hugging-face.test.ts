import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseModelSource } from '../../../src/lib/source/model-source.js';
import { listGgufFiles, readModelHeader } from '../../../src/lib/source/open.js';
import type { ReadOptions } from '../../../src/lib/source/session.js';
import { modelPart, smallModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const TOKEN = 'hf_topSecretToken';
const REPOSITORY = '/owner/Model-GGUF';

describe('reading from the Hugging Face hub', () => {
  let hub: RangeServer;
  let content: RangeServer;
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;
  const options = (env: Record<string, string> = {}): ReadOptions => ({
    cacheDir: cache.path,
    env: { HF_ENDPOINT: hub.origin, ...env },
    retry: { attempts: 2, firstDelayMs: 1 },
  });
  const read = (text: string, extra: ReadOptions = {}) =>
    readModelHeader(parseModelSource(text), { ...options(), ...extra });
  const paths = (server: RangeServer) => server.requests.map(({ path }) => path);

  beforeEach(async () => {
    [hub, content, cache] = await Promise.all([RangeServer.start(), RangeServer.start(), temporaryFolder()]);
    const names = [
      'mmproj-F16.gguf',
      'm-Q8_0.gguf',
      'm-Q4_K_M.gguf',
      'big-F16-00001-of-00002.gguf',
      'big-F16-00002-of-00002.gguf',
    ];
    hub.json(`/api/models${REPOSITORY}/revision/main`, {
      sha: COMMIT,
      siblings: [{ rfilename: 'README.md', size: 10 }, ...names.map((rfilename) => ({ rfilename, size: 1000 }))],
    });
    for (const revision of ['main', COMMIT]) {
      for (const name of names) {
        const headers = { 'x-repo-commit': COMMIT, 'x-linked-etag': `"${name}"` };
        hub.redirect(`${REPOSITORY}/resolve/${revision}/${name}`, content.url(`/${name}?signature=abc`), headers);
      }
    }
    content.serve('/m-Q4_K_M.gguf', smallModel('q4.weight')).serve('/m-Q8_0.gguf', smallModel('q8.weight'));
    content.serve('/big-F16-00001-of-00002.gguf', modelPart(1, 2));
    content.serve('/big-F16-00002-of-00002.gguf', modelPart(2, 2));
  });

  afterEach(async () => {
    await Promise.all([hub.close(), content.close(), cache.remove()]);
  });

  test.each([
    ['of a repository', () => 'hf:owner/Model-GGUF/big-F16-00002-of-00002.gguf'],
    ['at an address', () => content.url('/big-F16-00002-of-00002.gguf')],
  ])('a second part %s is no model', async (_where, source) => {
    await expect(read(source())).rejects.toMatchObject({
      code: 'SOURCE_NOT_FIRST_PART',
      options: { suggestions: ['name big-F16-00001-of-00002.gguf instead, which finds the others'] },
    });
  });

  test('a repository means Q4_K_M, of the commit that is current', async () => {
    const { header, url, commit, requests } = await read('hf:owner/Model-GGUF');
    expect(header.tensors.map(({ name }) => name)).toEqual(['q4.weight']);
    expect(url).toBe(hub.url(`${REPOSITORY}/resolve/${COMMIT}/m-Q4_K_M.gguf`));
    expect(commit).toBe(COMMIT);
    expect(requests).toBe(3);
    expect(paths(hub)).toEqual([
      `/api/models${REPOSITORY}/revision/main`,
      `${REPOSITORY}/resolve/${COMMIT}/m-Q4_K_M.gguf`,
    ]);
  });

  test('an answer names the file, and how many other models there were to choose from', async () => {
    const { file, others } = await read('hf:owner/Model-GGUF');
    expect([file, others]).toEqual(['m-Q4_K_M.gguf', 2]);
  });

  test.each([
    ['m-Q8_0.gguf', 'q8.weight'],
    ['m-Q8%5F0.gguf', 'q8.weight'],
    ['big-F16-00001-of-00002.gguf', 'blk.0.attn_q.weight'],
  ])('a link that shows a file of a repository means that file: %s', async (shown, tensor) => {
    const { header } = await read(`${hub.origin}${REPOSITORY}?show_file_info=${shown}`);
    expect(header.tensors[0]?.name).toBe(tensor);
  });

  test('a quantization can be asked for, in any case', async () => {
    expect((await read('hf:owner/Model-GGUF:q8_0')).header.tensors[0]?.name).toBe('q8.weight');
  });

  test('a quantization that is not there is an error that lists those that are', async () => {
    await expect(read('hf:owner/Model-GGUF:Q2_K')).rejects.toMatchObject({
      code: 'SOURCE_NO_SUCH_QUANTIZATION',
      exitCode: 3,
      message: 'owner/Model-GGUF has no Q2_K; it has Q8_0, Q4_K_M, F16',
    });
  });

  test('a split model is all its parts, of one commit', async () => {
    const { header } = await read('hf:owner/Model-GGUF:F16');
    expect(header.tensors.map(({ name, file }) => [name, file])).toEqual([
      ['blk.0.attn_q.weight', 0],
      ['blk.1.attn_q.weight', 1],
    ]);
  });

  test.each([
    'hf:owner/Model-GGUF/m-Q4_K_M.gguf',
    'https://huggingface.co/owner/Model-GGUF/blob/main/m-Q4_K_M.gguf',
    'https://huggingface.co/owner/Model-GGUF/resolve/main/m-Q4_K_M.gguf?download=true',
  ])('%s is one file, pinned to the commit that the hub names', async (text) => {
    const { url, commit, requests } = await read(text);
    expect(url).toBe(hub.url(`${REPOSITORY}/resolve/${COMMIT}/m-Q4_K_M.gguf`));
    expect(commit).toBe(COMMIT);
    expect(requests).toBe(2);
  });

  test('a page on the mirror itself is understood, too', async () => {
    const { commit } = await read(hub.url(`${REPOSITORY}/blob/main/m-Q4_K_M.gguf`));
    expect(commit).toBe(COMMIT);
  });

  test('the second time costs one request, for the commit, and none when that is given', async () => {
    for (const text of ['hf:owner/Model-GGUF', 'hf:owner/Model-GGUF/m-Q4_K_M.gguf']) {
      await read(text);
      expect(await read(text)).toMatchObject({ fromCache: true, requests: 1, commit: COMMIT });
    }
    const pinned = `https://huggingface.co/owner/Model-GGUF/resolve/${COMMIT}/m-Q4_K_M.gguf`;
    expect(await read(pinned)).toMatchObject({ fromCache: true, requests: 0 });
  });

  test('offline, what was read before is found under the same name', async () => {
    const first = await read('hf:owner/Model-GGUF:F16');
    const asked = hub.requests.length;
    const second = await read('hf:owner/Model-GGUF:F16', { offline: true });
    expect(second.header).toEqual(first.header);
    expect(second).toMatchObject({ fromCache: true, requests: 0, url: first.url });
    await expect(read('hf:owner/Model-GGUF:Q8_0', { offline: true })).rejects.toMatchObject({ code: 'SOURCE_OFFLINE' });
    expect(hub.requests).toHaveLength(asked);
  });

  test('the token goes to the hub and to nobody else, and is kept nowhere', async () => {
    await read('hf:owner/Model-GGUF', options({ HF_TOKEN: TOKEN }));
    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
    expect(content.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const folder = join(cache.path, 'headers-v1');
    const kept = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
    expect(kept).toHaveLength(2);
    expect(kept.join()).not.toMatch(/topSecret|signature/);
  });

  test('the token does not go to a server that is not the hub', async () => {
    await read(content.url('/m-Q4_K_M.gguf'), options({ HF_TOKEN: TOKEN }));
    expect(content.requests[0]?.headers.authorization).toBeUndefined();
  });

  const refusals: readonly (readonly [string, number, string, string, string, string])[] = [
    ['gated', 401, 'GatedRepo', '', 'SOURCE_FORBIDDEN', 'owner/Model-GGUF is gated (401): accept its terms at'],
    ['gated', 403, 'GatedRepo', TOKEN, 'SOURCE_FORBIDDEN', 'with the account of HF_TOKEN'],
    ['missing or private', 401, 'RepoNotFound', '', 'SOURCE_UNAUTHORIZED', 'does not exist or is private (401)'],
    [
      'missing or not for this token',
      401,
      '',
      TOKEN,
      'SOURCE_UNAUTHORIZED',
      'does not accept HF_TOKEN for owner/Model-GGUF',
    ],
    ['missing', 404, 'RepoNotFound', TOKEN, 'SOURCE_NOT_FOUND', 'does not exist (404)'],
    [
      'without the file',
      404,
      'EntryNotFound',
      '',
      'SOURCE_NOT_FOUND',
      'owner/Model-GGUF has no file m-Q4_K_M.gguf (404)',
    ],
    ['without the revision', 404, 'RevisionNotFound', '', 'SOURCE_NOT_FOUND', 'has no such revision (404)'],
    ['too busy', 429, '', '', 'SOURCE_RATE_LIMITED', 'or set HF_TOKEN for a higher limit'],
  ];

  test.each(refusals)('a repository that is %s (%d %s)', async (_, status, reason, token, code, message) => {
    const path = `${REPOSITORY}/resolve/main/m-Q4_K_M.gguf`;
    const fault = { kind: 'status', status, headers: { 'x-error-code': reason } } as const;
    hub.fail(path, fault, fault);
    const error = await read('hf:owner/Model-GGUF/m-Q4_K_M.gguf', options({ HF_TOKEN: token })).catch((e: Error) => e);
    expect(error).toMatchObject({ code, exitCode: 3, message: expect.stringContaining(message) as unknown });
    expect(String(error)).not.toContain(TOKEN);
  });

  test('a mirror that names no commits is asked by ETag', async () => {
    const path = `${REPOSITORY}/resolve/main/plain.gguf`;
    hub.serve(path, smallModel('plain.weight', '"plain"'));
    expect(await read('hf:owner/Model-GGUF/plain.gguf')).toMatchObject({ fromCache: false, url: hub.url(path) });
    expect(await read('hf:owner/Model-GGUF/plain.gguf')).toMatchObject({ fromCache: true, requests: 1 });
  });

  test('settings that cannot be are usage errors and show no secret', async () => {
    await expect(read('hf:a/b', options({ HF_ENDPOINT: 'ftp://x' }))).rejects.toMatchObject({
      code: 'BAD_HF_ENDPOINT',
      exitCode: 2,
    });
    const error = await read('hf:a/b', options({ HF_TOKEN: 'two\nlines' })).catch((reason: Error) => reason);
    expect(error).toMatchObject({ code: 'BAD_HF_TOKEN', exitCode: 2 });
    expect(String(error)).not.toContain('lines');
  });

  test('the files of a repository are listed with sizes, parts together', async () => {
    const { files, commit } = await listGgufFiles('owner/Model-GGUF', options());
    expect(commit).toBe(COMMIT);
    expect(files.map(({ kind, path, bytes, quantization }) => [kind, path, bytes, quantization])).toEqual([
      ['mmproj', 'mmproj-F16.gguf', 1000, 'F16'],
      ['model', 'm-Q8_0.gguf', 1000, 'Q8_0'],
      ['model', 'm-Q4_K_M.gguf', 1000, 'Q4_K_M'],
      ['model', 'big-F16-00001-of-00002.gguf', 2000, 'F16'],
    ]);
  });

  test('a list that is no list is said', async () => {
    hub.handle('/api/models/a/b/revision/main', (_, response) => response.writeHead(200).end('<html>') as never);
    await expect(read('hf:a/b')).rejects.toMatchObject({ code: 'SOURCE_BAD_RESPONSE', exitCode: 3 });
    hub.json('/api/models/a/c/revision/main', { sha: COMMIT, siblings: [{ rfilename: '../x.gguf' }, 7] });
    await expect(read('hf:a/c')).rejects.toMatchObject({
      code: 'SOURCE_NO_SUCH_QUANTIZATION',
      message: expect.stringContaining('has no GGUF file of a model') as unknown,
    });
  });
});
