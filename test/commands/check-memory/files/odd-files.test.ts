import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { PROFILES } from '../../../oracle/cases.js';
import { buildGguf, type Entry, type GgufSpec, type TensorEntry } from '../../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../../support/models/profile.js';
import { runCli } from '../../../support/run-cli.js';
import { askCli } from '../../../support/cli-session.js';
import { temporaryFolder, writeSparseFile } from '../../../support/sparse-file.js';

interface Checked {
  readonly verdict: string;
  readonly requirementBytes: number | null;
  readonly warnings: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

let folder: { path: string; remove: () => Promise<void> };
let count = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const ON_A_MAC = [
  '--accelerator',
  'metal',
  '--system-memory',
  '64Gi',
  '--in-use',
  '0',
  '-c',
  '8192',
  '--cache-ram',
  '0',
];

async function check(spec: GgufSpec): Promise<Checked & { exitCode: number | null }> {
  const path = join(folder.path, `${count++}.gguf`);
  const { header, dataBytes } = buildGguf(spec);
  await writeSparseFile(path, header, header.length + dataBytes);
  const { stdout, exitCode } = await askCli(['check-memory', path, ...ON_A_MAC, '--json']);
  return { ...(JSON.parse(stdout) as Checked), exitCode };
}

const profile = (name: string): GgufSpec => profileSpec(readProfile(join(PROFILES, `${name}.json`)));
const LLAMA = profile('llama-3.1-8b.Q4_K_M');
const MIXTURE = profile('qwen3-30b-a3b.Q4_K_M');

function changed(spec: GgufSpec, entries: readonly Entry[], tensors: readonly TensorEntry[] = []): GgufSpec {
  const keys = new Set(entries.map(([key]) => key));
  const metadata = [...(spec.metadata ?? []).filter(([key]) => !keys.has(key)), ...entries];
  return { ...spec, metadata, tensors: [...(spec.tensors ?? []), ...tensors] };
}

function without(key: string): GgufSpec {
  return { ...LLAMA, metadata: (LLAMA.metadata ?? []).filter(([name]) => name !== key) };
}

test('a file that says nothing of a tokenizer is checked, and the answer says what it holds for', async () => {
  const { exitCode, warnings } = await check(without('tokenizer.ggml.model'));
  expect(exitCode).toBe(0);
  expect(warnings.join()).toContain('the file has no tokenizer');
  expect((await check(LLAMA)).warnings.join()).not.toContain('tokenizer');
});

test('and is neither started nor deployed, for llama-server does not load it', async () => {
  const write = async (name: string, spec: GgufSpec): Promise<string> => {
    const path = join(folder.path, name);
    const { header, dataBytes } = buildGguf(spec);
    await writeSparseFile(path, header, header.length + dataBytes);
    return path;
  };
  const run = (path: string) =>
    Promise.all([
      runCli(['exec', '--memory-budget', '64Gi', '--name', 'x', '--', '/bin/true', '-m', path]),
      askCli(['deploy', 'x', '--source', path, ...ON_A_MAC, '--dry-run', 'client', '-o', 'name']),
    ]);
  for (const { stderr, exitCode } of await run(await write('none.gguf', without('tokenizer.ggml.model')))) {
    expect(stderr).toContain('llama.cpp does not load this file: key not found in model: tokenizer.ggml.model');
    expect(exitCode).toBe(3);
  }
  for (const { stderr } of await run(await write('whole.gguf', LLAMA))) expect(stderr).not.toContain('tokenizer');
});

describe('metadata that llama.cpp accepts is accepted, and changes nothing', () => {
  test.each<[string, GgufSpec, readonly Entry[]]>([
    ['an infinite value that nothing reads', LLAMA, [['llama.activation_sparsity_scale', [-Infinity, 1.6], '[f32]']]],
    ['a value that is no number', LLAMA, [['general.quality', NaN, 'f32']]],
    ['used experts for each layer', MIXTURE, [['qwen3moe.expert_used_count', new Array<number>(48).fill(8), '[u32]']]],
    ['heads for each layer', LLAMA, [['llama.attention.head_count', new Array<number>(32).fill(32), '[i32]']]],
  ])('%s', async (_case, spec, entries) => {
    const [plain, odd] = await Promise.all([check(spec), check(changed(spec, entries))]);
    expect([odd.exitCode, odd.verdict]).toEqual([0, plain.verdict]);
    expect(odd.requirementBytes).toBe(plain.requirementBytes);
  });
});

describe('a file that llama-server refuses to load does not fit anything', () => {
  test.each<[string, GgufSpec, readonly Entry[], readonly TensorEntry[], string]>([
    [
      'tensors of a projector are left over',
      LLAMA,
      [],
      [{ name: 'v.blk.0.attn_q.weight', dims: [64, 64], type: 'F16' }],
      'MODEL_TENSOR_UNUSED',
    ],
    [
      'a tensor of another file is left over',
      LLAMA,
      [],
      [{ name: 'text_projection.weight', dims: [64], type: 'F32' }],
      'MODEL_TENSOR_UNUSED',
    ],
    [
      'the architecture has Ollama’s name',
      LLAMA,
      [['general.architecture', 'gptoss', 'str']],
      [],
      'MODEL_ARCHITECTURE_UNKNOWN',
    ],
    [
      'the architecture is an image model’s',
      LLAMA,
      [['general.architecture', 'flux', 'str']],
      [],
      'MODEL_ARCHITECTURE_UNKNOWN',
    ],
    ['there are no heads for keys', LLAMA, [['llama.attention.head_count_kv', 0, 'u32']], [], 'MODEL_TENSOR_SHAPE'],
    [
      'the tokenizer is of a kind that nobody knows',
      LLAMA,
      [['tokenizer.ggml.model', 'sentencepiece', 'str']],
      [],
      'MODEL_TOKENIZER_INVALID',
    ],
    ['a count is written as a signed number', LLAMA, [['llama.block_count', 32, 'i32']], [], 'MODEL_KEY_TYPE'],
    ['a count is written in 64 bits', LLAMA, [['llama.context_length', 8192, 'u64']], [], 'MODEL_KEY_TYPE'],
  ])('where %s', async (_case, spec, entries, tensors, code) => {
    const { exitCode, verdict, error } = await check(changed(spec, entries, tensors));
    expect([exitCode, verdict, error?.code]).toEqual([3, 'unknown', code]);
  });

  test('where the epsilon is missing that its architecture asks for', async () => {
    const { exitCode, verdict, error } = await check(without('llama.attention.layer_norm_rms_epsilon'));
    expect([exitCode, verdict, error?.code]).toEqual([3, 'unknown', 'MODEL_KEY_MISSING']);
    expect(error?.message).toContain('key not found in model: llama.attention.layer_norm_rms_epsilon');
  });

  test('where its byte order is another machine’s', async () => {
    const { exitCode, error } = await check({ ...LLAMA, byteOrder: 'big' });
    expect([exitCode, error?.code]).toEqual([3, 'MODEL_BYTE_ORDER']);
  });

  test('where queries cannot be shared out among the heads of the keys', async () => {
    const narrow = (LLAMA.tensors ?? []).map((tensor) =>
      /attn_[kv]\.weight$/.test(tensor.name) ? { ...tensor, dims: [4096, 640] } : tensor,
    );
    const spec = changed({ ...LLAMA, tensors: narrow }, [['llama.attention.head_count_kv', 5, 'u32']]);
    const { exitCode, verdict, error } = await check(spec);
    expect([exitCode, verdict]).toEqual([3, 'unknown']);
    expect(error?.message).toContain('mul_mat');
  });
});
