import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildGguf, type Entry, type TensorEntry } from '../../support/models/gguf-writer.js';
import { runCli } from '../../support/run-cli.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

const [WIDTH, HEADS, KV_HEADS, HEAD, WORDS, EXPERTS, FEED_FORWARD] = [256, 4, 2, 64, 512, 4, 256];

/** A Kolibri 1 of one layer: llama.cpp b12032 knows it, and its graph is not described. */
const METADATA: readonly Entry[] = [
  ['general.architecture', 'kolibri1', 'str'],
  ['tokenizer.ggml.model', 'no_vocab', 'str'],
  ...Object.entries({
    block_count: 1,
    context_length: 8192,
    embedding_length: WIDTH,
    expert_count: EXPERTS,
    expert_used_count: 2,
    expert_feed_forward_length: FEED_FORWARD,
    expert_gating_func: 1,
    expert_shared_count: 0,
    expert_shared_feed_forward_length: 0,
    vocab_size: WORDS,
    'attention.head_count': HEADS,
    'attention.head_count_kv': KV_HEADS,
    'attention.sliding_window': 1024,
  }).map(([key, value]): Entry => [`kolibri1.${key}`, value, 'u32']),
  ['kolibri1.attention.layer_norm_rms_epsilon', 1e-5, 'f32'],
  ['kolibri1.expert_weights_norm', true, 'bool'],
  ['kolibri1.attention.sliding_window_pattern', [1], '[u32]'],
];

const TENSORS: readonly TensorEntry[] = [
  { name: 'token_embd.weight', dims: [WIDTH, WORDS], type: 'F16' },
  { name: 'output_norm.weight', dims: [WIDTH], type: 'F32' },
  ...Object.entries({
    attn_q: [WIDTH, HEADS * HEAD],
    attn_k: [WIDTH, KV_HEADS * HEAD],
    attn_v: [WIDTH, KV_HEADS * HEAD],
    attn_output: [HEADS * HEAD, WIDTH],
    ffn_gate_exps: [WIDTH, FEED_FORWARD, EXPERTS],
    ffn_up_exps: [WIDTH, FEED_FORWARD, EXPERTS],
    ffn_down_exps: [FEED_FORWARD, WIDTH, EXPERTS],
  }).map(([name, dims]): TensorEntry => ({ name: `blk.0.${name}.weight`, dims, type: 'F16' })),
];

describe('what is only known to be enough', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let model: string;
  const MAC = ['--llama-cpp', 'b12032', '--accelerator', 'metal', '--system-memory', '16Gi', '--in-use', '4Gi'];

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
