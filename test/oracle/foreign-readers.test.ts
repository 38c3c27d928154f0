import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readGgufHeader } from '../../src/lib/source/read-header.js';
import { type ComparableHeader, comparable, readWithHuggingFace } from '../support/models/other-readers.js';
import { temporaryFolder } from '../support/sparse-file.js';
import { PROFILES } from './cases.js';

const LLAMA_CPP = join(PROFILES, '../llama-cpp');
const BUNDLE = join(LLAMA_CPP, 'node_modules/node-llama-cpp/llama/gitRelease.bundle');

/** Our header as `read-headers.mjs` writes those of node-llama-cpp. */
function asNodeLlamaCpp({ metadata, tensors }: ComparableHeader, theirs: ComparableHeader): ComparableHeader {
  const entries = Object.entries(metadata).map(([key, value]) => {
    const skipped = typeof value === 'object' && value !== null && 'skipped' in value && 'length' in value;
    if (!skipped) return [key, value];
    const text = theirs.metadata[key];
    // The chat template is stepped over however short it is.
    if (typeof text === 'string') return [key, Buffer.byteLength(text) === value.length ? text : value];
    return [
      key,
      typeof text === 'object' && text !== null && 'bytes' in text ? { bytes: value.length } : { length: value.length },
    ];
  });
  return { metadata: Object.fromEntries(entries) as ComparableHeader['metadata'], tensors };
}

const installed = existsSync(BUNDLE);

(installed ? describe : describe.skip)('all vocabulary files of llama.cpp', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let paths: string[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    const repository = join(folder.path, 'llama.cpp');
    execFileSync('git', ['clone', '--quiet', '--no-checkout', BUNDLE, repository]);
    execFileSync('git', ['-C', repository, 'checkout', '--quiet', 'HEAD', '--', 'models']);
    const models = join(repository, 'models');
    paths = readdirSync(models)
      .filter((name) => name.endsWith('.gguf'))
      .map((name) => join(models, name));
  }, 600_000);

  afterAll(() => folder.remove());

  test('have every key and tensor that @huggingface/gguf reads', async () => {
    expect(paths.length).toBeGreaterThan(10);
    for (const path of paths) {
      const header = await readGgufHeader(path);
      expect(comparable(header)).toEqual(await readWithHuggingFace(path, header));
    }
  }, 600_000);

  test('have every key and tensor that node-llama-cpp reads', async () => {
    const asked = spawnSync('node', [join(LLAMA_CPP, 'read-headers.mjs')], {
      input: JSON.stringify(paths),
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    if (asked.status !== 0) throw new Error(asked.stderr);
    const headers = JSON.parse(asked.stdout) as ComparableHeader[];
    expect(headers).toHaveLength(paths.length);
    for (const [index, theirs] of headers.entries()) {
      const ours = comparable(await readGgufHeader(paths[index] ?? ''));
      expect(asNodeLlamaCpp(ours, theirs)).toEqual(theirs);
    }
  }, 600_000);
});

if (!installed) {
  test.skip('its vocabularies are read only where it is installed: node test/oracle/llama-cpp/install.mjs', () =>
    undefined);
}
