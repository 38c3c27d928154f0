import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildGguf, type Entry, type TensorEntry } from '../support/gguf-writer.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder, writeSparseFile } from '../support/sparse-file.js';

const [WIDTH, FEED_FORWARD, KV, WORDS, RANK] = [256, 512, 128, 512, 8];

/** A Granite Switch of one layer and no adapters but the empty one: llama.cpp knows it, and its graph is not described. */
const METADATA: readonly Entry[] = [
  ['general.architecture', 'graniteswitch', 'str'],
  ['tokenizer.ggml.model', 'no_vocab', 'str'],
  ...Object.entries({
    block_count: 1,
    context_length: 8192,
    embedding_length: WIDTH,
    feed_forward_length: FEED_FORWARD,
    vocab_size: WORDS,
    expert_shared_feed_forward_length: 0,
    'attention.head_count': 4,
    'attention.head_count_kv': KV / 64,
    'adapters.count': 0,
    'adapters.lora_rank': RANK,
  }).map(([key, value]): Entry => [`graniteswitch.${key}`, value, 'u32']),
  ...['attention.layer_norm_rms_epsilon', 'logit_scale', 'adapters.router_gain'].map((key): Entry => [
    `graniteswitch.${key}`,
    1,
    'f32',
  ]),
  ['graniteswitch.adapters.token_ids_activate', [0], '[i32]'],
  ['graniteswitch.adapters.token_ids_substitute', [0], '[i32]'],
];

const WEIGHTS: Readonly<Record<string, readonly [from: number, to: number]>> = {
  attn_q: [WIDTH, WIDTH],
  attn_k: [WIDTH, KV],
  attn_v: [WIDTH, KV],
  attn_output: [WIDTH, WIDTH],
  ffn_gate: [WIDTH, FEED_FORWARD],
  ffn_up: [WIDTH, FEED_FORWARD],
  ffn_down: [FEED_FORWARD, WIDTH],
};
const IN_ONE = ['attn_q', 'attn_k', 'attn_v'];

const TENSORS: readonly TensorEntry[] = [
  { name: 'token_embd.weight', dims: [WIDTH, WORDS], type: 'F16' },
  { name: 'output_norm.weight', dims: [WIDTH], type: 'F32' },
  { name: 'blk.0.attn_norm.weight', dims: [WIDTH], type: 'F32' },
  { name: 'blk.0.ffn_norm.weight', dims: [WIDTH], type: 'F32' },
  { name: 'blk.0.attn_qkv.weight', dims: [WIDTH, WIDTH + 2 * KV], type: 'F16' },
  ...Object.entries(WEIGHTS).flatMap(([name, [from, to]]): readonly TensorEntry[] => [
    ...(IN_ONE.includes(name) ? [] : [{ name: `blk.0.${name}.weight`, dims: [from, to], type: 'F16' }]),
    { name: `blk.0.${name}.lora_a`, dims: [from, RANK, 1], type: 'F16' },
    { name: `blk.0.${name}.lora_b`, dims: [RANK, to, 1], type: 'F16' },
  ]),
];

describe('what is only known to be enough', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let model: string;
  const MAC = ['--accelerator', 'metal', '--system-memory', '16Gi', '--in-use', '4Gi'];

  beforeAll(async () => {
    folder = await temporaryFolder();
    model = join(folder.path, 'switch.gguf');
    const { header, dataBytes } = buildGguf({ metadata: METADATA, tensors: TENSORS });
    await writeSparseFile(model, header, header.length + dataBytes);
  });
  afterAll(() => folder.remove());

  test('is marked part by part for programs', async () => {
    const { stdout, exitCode } = await runCli(['check-memory', model, ...MAC, '--json']);
    const { estimate } = JSON.parse(stdout) as { estimate: { parts: { name: string; accuracy: string }[] } };
    const marks = new Map(estimate.parts.map(({ name, accuracy }) => [name, accuracy]));
    expect(exitCode).toBe(0);
    expect([marks.get('weights'), marks.get('kv-cache'), marks.get('compute')]).toEqual(['exact', 'bound', 'bound']);
  });

  test('and for people, in text and on the page', async () => {
    const page = join(folder.path, 'page.html');
    const { stdout } = await runCli(['check-memory', model, ...MAC, '--html', page]);
    expect(stdout).toMatch(/^ {2}KV cache .* bound$/m);
    expect(stdout).toMatch(/^ {2}compute buffer .* bound$/m);
    expect(stdout).not.toMatch(/^ {2}weights .* bound$/m);
    const html = await readFile(page, 'utf8');
    expect(html).toMatch(/<th scope="row">KV cache<\/th>.*?<td>bound<\/td>/);
    expect(html).toMatch(/<th scope="row">compute buffer<\/th>.*?<td>bound<\/td>/);
  });
});
