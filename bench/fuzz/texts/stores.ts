import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseModelSource } from '../../../src/lib/source/model-source.js';
import { readModelHeader } from '../../../src/lib/source/open.js';
import { FolderNames } from '../../../src/lib/source/stores/folder-names.js';
import { printed } from '../making/harmless.js';
import type { Random } from '../making/random.js';
import { changedValues } from '../making/values.js';
import type { Subject } from '../subject.js';

const HOME = mkdtempSync(join(tmpdir(), 'llmkube-fuzz-stores-'));
const COMMIT = 'a'.repeat(40);
const DIGEST = `sha256:${'b'.repeat(64)}`;
const MANIFEST = {
  schemaVersion: 2,
  layers: [
    { mediaType: 'application/vnd.ollama.image.model', digest: DIGEST, size: 5 },
    { mediaType: 'application/vnd.ollama.image.params', digest: DIGEST, size: 5 },
  ],
};
const LISTING = {
  Code: 200,
  Data: {
    Files: [
      { Path: 'M-Q4_K_M.gguf', Size: 5, Type: 'blob' },
      { Path: 'a', Type: 'tree' },
    ],
  },
};
const HUB = {
  sha: COMMIT,
  siblings: [
    { rfilename: 'M-Q4_K_M.gguf', size: 5 },
    { rfilename: 'a/mmproj-F16.gguf', size: 5 },
  ],
};

let answer = '{}';
const server = createServer(
  (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(answer),
);
const address = new Promise<string>((resolve) => {
  server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`));
});
server.unref();

/** What other programs keep on this machine of their models, and what their hubs answer. */
export const stores: Subject = {
  name: 'stores and hubs',
  run: async (random) => {
    const host = await address;
    const kept: Readonly<Record<string, string>> = {
      '.ollama/models/manifests/registry.ollama.ai/library/tiny/latest': JSON.stringify(MANIFEST),
      '.lmstudio-home-pointer': join(HOME, 'lms'),
      'lms/settings.json': JSON.stringify({ downloadsFolder: join(HOME, 'lms', 'models') }),
      '.cache/huggingface/hub/models--u--x/refs/main': COMMIT,
    };
    const [path, text] = random.pick(Object.entries(kept));
    for (const [name, whole] of Object.entries({ ...kept, [path]: changedText(text, random) })) put(name, whole);
    for (const name of [`models/blobs/${DIGEST.replace(':', '-')}`]) put(`.ollama/${name}`, 'GGUF');
    for (const name of [
      'lms/models/p/tiny/tiny-Q4_K_M.gguf',
      `.cache/huggingface/hub/models--u--x/snapshots/${COMMIT}/x-Q4_K_M.gguf`,
    ])
      put(name, 'GGUF');
    answer = changedText(JSON.stringify(random.pick<unknown>([MANIFEST, LISTING, HUB])), random);
    const named = random.pick([
      'ollama:tiny',
      `ollama:http://${host}/library/tiny`,
      'lmstudio:tiny',
      'hf:u/x:Q4_K_M',
      'hf:u/x',
      'ms:u/x:Q4_K_M',
    ]);
    const env = {
      HOME,
      HF_ENDPOINT: `http://${host}`,
      MODELSCOPE_DOMAIN: `http://${host}`,
      HF_TOKEN: 'hf_abcdefGHIJKLMN0123',
    };
    const reading = await readModelHeader(parseModelSource(named), {
      env,
      folders: new FolderNames(env),
      offline: random.int(2) === 0,
      readingMs: 2000,
      retry: { attempts: 1 },
    });
    printed(reading.chosen ?? '');
  },
};

function put(name: string, text: string): void {
  const path = join(HOME, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function changedText(text: string, random: Random): string {
  if (random.int(2) === 0 || !text.startsWith('{')) return random.damaged(text);
  return JSON.stringify(changedValues(JSON.parse(text), random));
}
