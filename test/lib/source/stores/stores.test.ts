import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseModelSource } from '../../../../src/lib/source/model-source.js';
import { type HeaderReading, readModelHeader } from '../../../../src/lib/source/open.js';
import { modelPart, smallModel } from '../../../support/models/small-models.js';
import { RangeServer, type ServedFile } from '../../../support/servers/range-server.js';
import { temporaryFolder, writeSparseFile } from '../../../support/sparse-file.js';

const DIGEST = 'a'.repeat(64);
const COMMIT = '1234567890abcdef1234567890abcdef12345678';
const MODEL_LAYER = 'application/vnd.ollama.image.model';

let home: Awaited<ReturnType<typeof temporaryFolder>>;
let server: RangeServer;

beforeEach(async () => {
  home = await temporaryFolder();
  server = await RangeServer.start();
});

afterEach(async () => {
  await server.close();
  await home.remove();
});

const put = async (path: string, file: ServedFile = smallModel()): Promise<string> => {
  const full = join(home.path, path);
  await mkdir(dirname(full), { recursive: true });
  await writeSparseFile(full, file.start, file.size ?? file.start.length);
  return full;
};

const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(home.path, path)), { recursive: true });
  await writeFile(join(home.path, path), text);
};

/** Every request goes to the server of the test. */
const read = (text: string, env: Record<string, string> = {}, offline = false): Promise<HeaderReading> =>
  readModelHeader(parseModelSource(text), {
    env: { HOME: home.path, HF_ENDPOINT: server.origin, MODELSCOPE_DOMAIN: server.origin, ...env },
    offline,
    retry: { attempts: 1 },
  });

/** As `ollama pull` writes it. */
const manifest = (digest: string, mediaType = MODEL_LAYER): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: `sha256:${'c'.repeat(64)}`,
      size: 485,
    },
    layers: [
      { mediaType, digest: `sha256:${digest}`, size: 4683073952 },
      { mediaType: 'application/vnd.ollama.image.template', digest: `sha256:${'d'.repeat(64)}`, size: 1481 },
    ],
  });

const pulled = async (name: string, root = '.ollama/models'): Promise<string> => {
  await write(`${root}/manifests/${name}`, manifest(DIGEST));
  return put(`${root}/blobs/sha256-${DIGEST}`);
};

describe('a name of Ollama', () => {
  test.each([
    ['ollama:llama3.2', 'registry.ollama.ai/library/llama3.2/latest'],
    ['ollama:llama3.2:1b', 'registry.ollama.ai/library/llama3.2/1b'],
    ['ollama:Llama3.2:1B', 'registry.ollama.ai/library/llama3.2/1b'],
    ['ollama:someone/tuned:q4', 'registry.ollama.ai/someone/tuned/q4'],
    ['ollama:hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M', 'hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF/Q4_K_M'],
  ])('%s is the file that its manifest on this machine names, without any request', async (text, kept) => {
    const blob = await pulled(kept);
    const reading = await read(text);
    expect(reading).toMatchObject({ path: blob, requests: 0 });
    expect(reading.chosen).toContain(`${blob}, which Ollama keeps on this machine`);
  });

  test('is looked for where OLLAMA_MODELS says', async () => {
    const blob = await pulled('registry.ollama.ai/library/qwen3/8b', 'elsewhere');
    const env = { OLLAMA_MODELS: join(home.path, 'elsewhere') };
    expect((await read('ollama:qwen3:8b', env)).path).toBe(blob);
  });

  test('that is listed, but whose file is gone, is said to be missing', async () => {
    await rm(await pulled('registry.ollama.ai/library/qwen3/8b'));
    await expect(read('ollama:qwen3:8b')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringMatching(
        /^Ollama lists qwen3:8b on this machine, but its file sha256:a{12}… is missing in /,
      ),
    });
  });

  test.each([
    ['is no GGUF model', manifest(DIGEST, 'application/vnd.ollama.image.tensor')],
    ['cannot be read', '{"layers": ['],
    ['climbs out of the folder', manifest('../../../../etc/passwd')],
  ])('whose manifest %s is refused', async (_, text) => {
    await write('.ollama/models/manifests/registry.ollama.ai/library/odd/latest', text);
    await expect(read('ollama:odd')).rejects.toMatchObject({ code: 'SOURCE_UNSUPPORTED', exitCode: 3 });
  });

  test('that is not on this machine is read from its registry, by range', async () => {
    const { host } = new URL(server.origin);
    server.json('/v2/library/phi4/manifests/latest', JSON.parse(manifest(DIGEST)));
    server.serve(`/v2/library/phi4/blobs/sha256:${DIGEST}`, { ...smallModel(), size: 3 * 2 ** 30 });
    const reading = await read(`ollama:http://${host}/library/phi4`);
    expect(reading).toMatchObject({ url: `${server.origin}/v2/library/phi4/blobs/sha256:${DIGEST}`, requests: 2 });
    expect(reading.chosen).toContain(`its file was read from ${host}`);
    expect(server.requests[1]?.headers.range).toMatch(/^bytes=0-/);
  });

  test('that nobody has gets the nearest that is kept here', async () => {
    const { host } = new URL(server.origin);
    await pulled(`${host}/library/llama3.2/1b`);
    await expect(read(`ollama:http://${host}/library/lama3.2:1b`)).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      message: expect.stringContaining('check its name and tag'),
      options: { suggestions: [expect.stringContaining('/library/llama3.2:1b is kept on this machine')] },
    });
  });

  test('is not asked for offline', async () => {
    await pulled('registry.ollama.ai/library/llama3.2/1b');
    await expect(read('ollama:llama3.2', {}, true)).rejects.toMatchObject({
      code: 'SOURCE_OFFLINE',
      options: { suggestions: ['ollama:llama3.2:1b is kept on this machine'] },
    });
  });

  test.each(['ollama:', 'ollama:a/b/c/d', 'ollama:../x', 'ollama:a b', 'ollama:x:'])('%s is none', (text) => {
    expect(() => parseModelSource(text)).toThrow(expect.objectContaining({ code: 'BAD_SOURCE', exitCode: 2 }));
  });
});

describe('a name of LM Studio', () => {
  const FOLDER = '.lmstudio/models/lmstudio-community/Qwen3-8B-GGUF';
  let q4: string;
  let q8: string;

  beforeEach(async () => {
    q8 = await put(`${FOLDER}/Qwen3-8B-Q8_0.gguf`);
    q4 = await put(`${FOLDER}/Qwen3-8B-Q4_K_M.gguf`);
    // What else lies in such folders.
    await put(`${FOLDER}/mmproj-Qwen3-8B-F16.gguf`);
    await write(`${FOLDER}/README.md`, '# Qwen3');
    await write('.lmstudio/models/mlx-community/Qwen3-8B-4bit/model.safetensors', '');
    await symlink('/nowhere/at/all', join(home.path, '.lmstudio/models/gone'));
  });

  test.each([
    'lmstudio:lmstudio-community/Qwen3-8B-GGUF',
    'lmstudio:qwen3-8b',
    'lmstudio:qwen3-8b@q4_k_m',
    'lmstudio:lmstudio-community/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf',
  ])('%s is its file', async (text) => {
    const reading = await read(text);
    expect(reading).toMatchObject({ path: q4, requests: 0 });
  });

  test('takes the quantization that is asked for', async () => {
    expect((await read('lmstudio:qwen3-8b:Q8_0')).path).toBe(q8);
  });

  test('says what there is where that quantization is not kept', async () => {
    await expect(read('lmstudio:qwen3-8b:Q6_K')).rejects.toMatchObject({
      code: 'SOURCE_NO_SUCH_QUANTIZATION',
      message: expect.stringMatching(/not as Q6_K; it has Q4_K_M, Q8_0$/),
    });
  });

  test('says how many files it was chosen from', async () => {
    expect((await read('lmstudio:qwen3-8b')).chosen).toContain('one of 2 files of this model');
  });

  test('mistyped gets the nearest', async () => {
    await expect(read('lmstudio:qwen3-8n')).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
      options: { suggestions: ['lmstudio:lmstudio-community/Qwen3-8B-GGUF may be meant'] },
    });
  });

  test('that two publishers have must be told apart', async () => {
    await put('.lmstudio/models/unsloth/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf');
    await expect(read('lmstudio:qwen3-8b')).rejects.toThrow(/unsloth\/Qwen3-8B-GGUF/);
  });

  test('is found through links, in the older folder, and where the settings put downloads', async () => {
    const linked = await put('disk/real.gguf');
    const folder = '.cache/lm-studio/models/me/linked';
    await mkdir(join(home.path, folder), { recursive: true });
    await symlink(linked, join(home.path, folder, 'linked-Q4_K_M.gguf'));
    expect((await read('lmstudio:me/linked')).path).toBe(join(home.path, folder, 'linked-Q4_K_M.gguf'));
    const moved = await put('big/disk/me/moved/moved-Q4_K_M.gguf');
    await write('.lmstudio/settings.json', JSON.stringify({ downloadsFolder: join(home.path, 'big/disk') }));
    expect((await read('lmstudio:moved')).path).toBe(moved);
  });

  test('is found in the home that the pointer names', async () => {
    const path = await put('other-home/models/me/far/far-Q4_K_M.gguf');
    await write('.lmstudio-home-pointer', `${join(home.path, 'other-home')}\n`);
    expect((await read('lmstudio:far')).path).toBe(path);
  });
});

describe('a model of the hub that was downloaded before', () => {
  const REPOSITORY = '.cache/huggingface/hub/models--unsloth--Qwen3-8B-GGUF';
  const NAME = 'Qwen3-8B-Q4_K_M.gguf';

  /** As huggingface_hub writes it: the bytes under their digest, the name a link to them. */
  const download = async (name: string, blob: string, file = smallModel(), root = REPOSITORY): Promise<string> => {
    await put(`${root}/blobs/${blob}`, file);
    await write(`${root}/refs/main`, COMMIT);
    const path = join(home.path, root, 'snapshots', COMMIT, name);
    await mkdir(dirname(path), { recursive: true });
    await symlink(`${'../'.repeat(name.split('/').length + 1)}blobs/${blob}`, path);
    return path;
  };

  test.each(['hf:unsloth/Qwen3-8B-GGUF', 'hf:unsloth/Qwen3-8B-GGUF:Q4_K_M', `hf:unsloth/Qwen3-8B-GGUF/${NAME}`])(
    '%s is read from there, without any request',
    async (text) => {
      const path = await download(NAME, 'e'.repeat(64));
      const reading = await read(text);
      expect(reading).toMatchObject({ path, file: NAME, commit: COMMIT, requests: 0 });
      expect(reading.chosen).toContain("from the hub's cache on this machine, version 1234567890ab");
    },
  );

  test.each([
    ['HF_HUB_CACHE', ''],
    ['LLAMA_CACHE', ''],
    ['HF_HOME', '/hub'],
  ])('is found where %s says', async (name, below) => {
    const path = await download(NAME, 'e'.repeat(64), smallModel(), `mine${below}/models--unsloth--Qwen3-8B-GGUF`);
    const reading = await read('hf:unsloth/Qwen3-8B-GGUF', { [name]: join(home.path, 'mine') });
    expect(reading).toMatchObject({ path, requests: 0 });
  });

  test('takes all parts of a split one', async () => {
    await download('Q8_0/M-Q8_0-00001-of-00002.gguf', 'a'.repeat(64), modelPart(1, 2));
    await download('Q8_0/M-Q8_0-00002-of-00002.gguf', 'b'.repeat(64), modelPart(2, 2));
    const { header, requests } = await read('hf:unsloth/Qwen3-8B-GGUF:Q8_0');
    expect([header.files.length, requests]).toEqual([2, 0]);
  });

  test.each([
    ['lacks a part', 'M-Q8_0-00001-of-00002.gguf', 'hf:unsloth/Qwen3-8B-GGUF:Q8_0'],
    ['is another quantization', NAME, 'hf:unsloth/Qwen3-8B-GGUF:Q8_0'],
    ['is not what is preferred where nothing is asked for', 'M-Q8_0.gguf', 'hf:unsloth/Qwen3-8B-GGUF'],
  ])('is asked of the hub where what is here %s', async (_, name, text) => {
    await download(name, 'a'.repeat(64));
    await expect(read(text)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    expect(server.requests.length).toBeGreaterThan(0);
  });

  test('is asked of the hub where the link leads nowhere', async () => {
    await download(NAME, 'a'.repeat(64));
    await rm(join(home.path, REPOSITORY, 'blobs'), { recursive: true });
    await expect(read('hf:unsloth/Qwen3-8B-GGUF:Q4_K_M')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  test('offline, what is here is what is chosen', async () => {
    const path = await download('M-Q8_0.gguf', 'a'.repeat(64));
    expect((await read('hf:unsloth/Qwen3-8B-GGUF', {}, true)).path).toBe(path);
  });

  test.each(['.cache/llama.cpp', 'Library/Caches/llama.cpp'])(
    'is read from %s, as llama.cpp kept it before',
    async (folder) => {
      const path = await put(`${folder}/unsloth_Qwen3-8B-GGUF_${NAME}`);
      await write(`${folder}/manifest=unsloth=Qwen3-8B-GGUF=latest.json`, '{}');
      await put(`${folder}/unsloth_Qwen3-8B-GGUF_M-Q8_0.gguf.downloadInProgress`);
      const reading = await read('hf:unsloth/Qwen3-8B-GGUF:Q4_K_M');
      expect(reading).toMatchObject({ path, requests: 0 });
      expect(reading.chosen).toContain("llama.cpp's cache");
    },
  );

  test('is never changed by reading', async () => {
    await download(NAME, 'e'.repeat(64));
    const before = await readdir(home.path, { recursive: true });
    await read('hf:unsloth/Qwen3-8B-GGUF');
    expect(await readdir(home.path, { recursive: true })).toEqual(before);
  });
});

describe('a model of ModelScope', () => {
  const FILES = '/api/v1/models/Qwen/Qwen3-8B-GGUF/repo/files';
  const entry = (Path: string): object => ({ Path, Name: Path, Size: 5_000_000_000, Type: 'blob', Revision: COMMIT });

  beforeEach(() => {
    const Files = [
      { Path: 'sub', Type: 'tree' },
      entry('README.md'),
      entry('../../x.gguf'),
      entry('M-Q8_0.gguf'),
      entry('M-Q4_K_M.gguf'),
    ];
    server.json(FILES, { Code: 200, Data: { Files }, Success: true });
    for (const quantization of ['Q4_K_M', 'Q8_0']) {
      server.serve(`/models/Qwen/Qwen3-8B-GGUF/resolve/master/M-${quantization}.gguf`, smallModel());
    }
  });

  test.each([
    ['ms:Qwen/Qwen3-8B-GGUF', 'M-Q4_K_M.gguf'],
    ['ms:Qwen/Qwen3-8B-GGUF:q8_0', 'M-Q8_0.gguf'],
    ['ms:Qwen/Qwen3-8B-GGUF/M-Q8_0.gguf', 'M-Q8_0.gguf'],
  ])('%s is %s', async (text, file) => {
    const reading = await read(text);
    expect(reading).toMatchObject({ file, url: server.url(`/models/Qwen/Qwen3-8B-GGUF/resolve/master/${file}`) });
    expect(reading.chosen).toContain(`is the file ${file} on ModelScope`);
  });

  test('says what there is instead of what there is not', async () => {
    await expect(read('ms:Qwen/Qwen3-8B-GGUF:Q2_K')).rejects.toMatchObject({
      code: 'SOURCE_NO_SUCH_QUANTIZATION',
      message: 'Qwen/Qwen3-8B-GGUF has no Q2_K on ModelScope; it has Q8_0, Q4_K_M',
    });
  });

  test('that does not exist is said to be so', async () => {
    await expect(read('ms:Qwen/nothing')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });
});
