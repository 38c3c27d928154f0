import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LlmkubeError } from '../../../../src/lib/errors.js';
import { parseModelSource } from '../../../../src/lib/source/model-source.js';
import { readModelHeader } from '../../../../src/lib/source/open.js';
import { buildGgufFile } from '../../../support/models/gguf-writer.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

const COMMIT = '1234567890abcdef1234567890abcdef12345678';
const MODEL = buildGgufFile({ tensors: [{ name: 'token_embd.weight', dims: [32, 2], type: 'F32' }] });
const DIGEST = 'a'.repeat(64);
const OLLAMA = '.ollama/models/manifests/registry.ollama.ai/library/tiny/latest';
const BLOB = `.ollama/models/blobs/sha256-${DIGEST}`;
const HUB = '.cache/huggingface/hub/models--a--b';
const SNAPSHOT = `${HUB}/snapshots/${COMMIT}`;
const LM_STUDIO = '.lmstudio/models';
const MANIFEST = JSON.stringify({
  layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${DIGEST}` }],
});

let home: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  home = await temporaryFolder();
  write(OLLAMA, MANIFEST);
  write(BLOB, MODEL);
  write(`${HUB}/refs/main`, COMMIT);
  write(`${SNAPSHOT}/b-Q8_0.gguf`, MODEL);
  write(`${LM_STUDIO}/a/b/b-Q8_0.gguf`, MODEL);
});
afterEach(() => home.remove());

const at = (path: string): string => join(home.path, path);
function write(path: string, content: string | Uint8Array): void {
  rmSync(at(path), { recursive: true, force: true });
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

const read = (name: string) =>
  readModelHeader(parseModelSource(name), { env: { HOME: home.path }, offline: true, readingMs: 20_000 });

/** What may lie where a file is expected. */
const PLACES: readonly (readonly [string, (path: string) => void])[] = [
  ['a pipe', (path) => (rmSync(at(path), { force: true }), execFileSync('mkfifo', [at(path)]))],
  ['a device', (path) => (rmSync(at(path), { force: true }), symlinkSync('/dev/zero', at(path)))],
  ['a folder', (path) => (rmSync(at(path), { force: true }), mkdirSync(at(path)))],
  ['a link to itself', (path) => (rmSync(at(path), { force: true }), symlinkSync(at(path), at(path)))],
  ['a gigabyte of nothing', (path) => (write(path, ''), truncateSync(at(path), 2 ** 30))],
  ['nesting without end', (path) => write(path, '['.repeat(2 ** 19))],
  ['values without end', (path) => write(path, `[${'[],'.repeat(2 ** 18)}[]]`)],
  ['nothing', (path) => write(path, '')],
  ['null', (path) => write(path, 'null')],
  ['control characters', (path) => write(path, '\u001b[2J\u202e\u0000')],
  ['the way out', (path) => write(path, '../../../../etc')],
  [
    'a digest that leads out',
    (path) => write(path, MANIFEST.replace(`sha256:${DIGEST}`, 'sha256:../../../../../etc/passwd\\u001b')),
  ],
];

const FILES: readonly (readonly [string, string, string])[] = [
  ['the manifest of Ollama', OLLAMA, 'ollama:tiny'],
  ['the blob of Ollama', BLOB, 'ollama:tiny'],
  ["the branch of the hub's cache", `${HUB}/refs/main`, 'hf:a/b:Q8_0'],
  ["the file of the hub's cache", `${SNAPSHOT}/b-Q8_0.gguf`, 'hf:a/b:Q8_0'],
  ['the file of LM Studio', `${LM_STUDIO}/a/b/b-Q8_0.gguf`, 'lmstudio:a/b:Q8_0'],
];

describe('a store of this machine', () => {
  test.each(FILES)('gives the model by %s', async (_, __, name) => {
    expect((await read(name)).header.tensors.length).toBeGreaterThan(0);
  });

  test.each(
    FILES.flatMap(([what, path, name]) => PLACES.map(([place, put]) => [place, what, path, name, put] as const)),
  )('that has %s in the place of %s is no model', async (_, __, path, name, put) => {
    put(path);
    const outcome: unknown = await read(name).catch((error: unknown) => error);
    expect(outcome).toEqual(expect.any(LlmkubeError));
    const { exitCode, message } = outcome as LlmkubeError;
    expect([exitCode, message]).toEqual([3, expect.not.stringMatching(/\p{Cc}|\p{Cf}|not finished within/u)]);
    expect(message.length).toBeLessThan(600);
  });

  test.each(PLACES)('whose settings are %s is found where it began', async (_, put) => {
    for (const path of ['.lmstudio/settings.json', '.lmstudio-home-pointer']) {
      write(path, '');
      put(path);
    }
    expect((await read('lmstudio:a/b:Q8_0')).path).toBe(at(`${LM_STUDIO}/a/b/b-Q8_0.gguf`));
  });

  test('whose links lead in a circle is walked once', async () => {
    for (const name of ['one', 'two', 'three']) {
      symlinkSync('.', at(`${SNAPSHOT}/${name}`));
      symlinkSync('..', at(`.ollama/models/manifests/${name}`));
      symlinkSync('.', at(`${LM_STUDIO}/${name}`));
    }
    for (const name of ['ollama:tiny', 'hf:a/b:Q8_0', 'lmstudio:a/b:Q8_0'])
      expect((await read(name)).header.tensors.length).toBeGreaterThan(0);
    await expect(read('ollama:other')).rejects.toMatchObject({ code: 'SOURCE_OFFLINE' });
  });

  test('with links from everywhere to everywhere is not walked to its end', async () => {
    for (let i = 0; i < 200; i++) symlinkSync('.', at(`${LM_STUDIO}/l${i}`));
    await expect(read('lmstudio:nobody/nothing')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  test('is not left by a link to a folder elsewhere', async () => {
    write('elsewhere/secret-Q4_0.gguf', MODEL);
    symlinkSync(at('elsewhere'), at(`${SNAPSHOT}/folder`));
    await expect(read('hf:a/b:Q4_0')).rejects.toMatchObject({ code: 'SOURCE_OFFLINE' });
  });
});
