import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildGguf, type Entry, type TensorEntry } from '../support/models/gguf-writer.js';
import { RangeServer } from '../support/servers/range-server.js';
import { askCli } from '../support/cli-session.js';
import { temporaryFolder, writeSparseFile } from '../support/sparse-file.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/inspect.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv({ strict: false }).compile(schema);

const METADATA: readonly Entry[] = [
  ['general.architecture', 'gemma3', 'str'],
  ['general.name', 'Tiny\u202eevil\u001b[31m', 'str'],
  ['general.license', 'apache-2.0', 'str'],
  ['general.file_type', 15, 'u32'],
  ['gemma3.block_count', 6, 'u32'],
  ['gemma3.context_length', 4096, 'u32'],
  ['gemma3.embedding_length', 256, 'u32'],
  ['gemma3.feed_forward_length', 512, 'u32'],
  ['gemma3.attention.head_count', 4, 'u32'],
  ['gemma3.attention.head_count_kv', 2, 'u32'],
  ['gemma3.attention.sliding_window', 512, 'u32'],
  ['tokenizer.ggml.model', 'llama', 'str'],
  ['tokenizer.ggml.tokens', Array.from({ length: 5000 }, (_, i) => `t${i}`), '[str]'],
];

/** 5000 × 256 × 2 = 2560000, 512 × 256 / 256 × 144 = 73728 each, 256 × 4 = 1024 bytes: 3003392 together. */
const TENSORS: readonly TensorEntry[] = [
  { name: 'token_embd.weight', dims: [256, 5000], type: 'F16' },
  { name: 'output_norm\u202e.weight', dims: [256], type: 'F32' },
  ...[0, 1, 2, 3, 4, 5].map((block) => ({ name: `blk.${block}.ffn_down.weight`, dims: [512, 256], type: 'Q4_K' })),
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: RangeServer;
let path: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'tiny-Q4_K_M.gguf');
  const { header, dataBytes } = buildGguf({ metadata: METADATA, tensors: TENSORS });
  await writeSparseFile(path, header, header.length + dataBytes);
  server = await RangeServer.start();
  server.serve('/tiny-Q4_K_M.gguf', { start: header, size: header.length + dataBytes });
});

afterAll(async () => {
  await server.close();
  await folder.remove();
});

describe('inspect', () => {
  test('shows what the header says, with names that cannot harm the terminal', async () => {
    const { stdout, stderr, exitCode } = await askCli(['inspect', path]);
    expect(stdout.split('\n')).toEqual([
      'Tiny\\u{202e}evil\ufffd[31m (Q4_K_M)',
      '',
      '  architecture    gemma3',
      // 1280000 + 256 + 6 × 131072
      '  parameters      2.1M',
      expect.stringMatching(/^ {2}size {12}\d(\.\d)?MB in 1 file$/),
      '  layers          6',
      '  width           256, feed-forward 512',
      '  attention       4 heads of 64, 2 KV heads',
      '  sliding window  512 tokens on 5 of 6 layers',
      '  context         4096 tokens',
      '  vocabulary      5000 tokens (llama)',
      '  licence         apache-2.0',
      '  format          GGUF 3',
      '',
      'TENSOR TYPE    SHARE   SIZE  TENSORS',
      'F16           85.2 %  2.4MB        1',
      'Q4_K          14.7 %  0.4MB        6',
      'F32          < 0.1 %    1KB        1',
      '',
      'LARGEST TENSORS             TYPE  SHAPE        SIZE',
      'token_embd.weight           F16   256 × 5000  2.4MB',
      'blk.{i}.ffn_down.weight     Q4_K  512 × 256    72KB  × 6',
      'output_norm\\u{202e}.weight  F32   256           1KB',
      '',
    ]);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('lists every key and every tensor where asked to', async () => {
    const { stdout } = await askCli(['inspect', path, '--metadata', '--tensors']);
    const lines = stdout.split('\n');
    expect(lines).toContain('general.license                  apache-2.0');
    expect(lines).toContain('tokenizer.ggml.tokens            (not read, length 5000)');
    expect(lines.filter((line) => /^blk\.\d\.ffn_down\.weight +Q4_K {2}512 × 256 +72KB$/.test(line))).toHaveLength(6);
    expect(stdout).not.toMatch(/[\p{Cf}]/u);
  });

  test('gives the same as JSON, whether the file is local or remote', async () => {
    const lists = ['--metadata', '--tensors', '--json'];
    const local = await askCli(['inspect', path, ...lists]);
    const remote = await askCli(['inspect', server.url('/tiny-Q4_K_M.gguf'), ...lists]);
    const { source, ...facts } = JSON.parse(local.stdout) as Record<string, unknown>;
    const { source: address, ...remoteFacts } = JSON.parse(remote.stdout) as Record<string, unknown>;
    expect(remoteFacts).toEqual(facts);
    expect(source).toEqual({ uri: path, header: 'live', derived: false });
    expect(address).toMatchObject({ uri: server.url('/tiny-Q4_K_M.gguf'), header: 'live' });
    expect(validate({ source, ...facts }) || validate.errors).toBe(true);
    expect(facts).toMatchObject({
      architecture: 'gemma3',
      parameters: 2066688,
      tensorCount: 8,
      tensorBytes: 3003392,
      layers: { count: 6, window: { tokens: 512, layers: 5, chunked: false }, recurrent: null, experts: null },
      metadata: { 'tokenizer.ggml.tokens': { skipped: true, length: 5000 } },
    });
    expect(facts.tensorTypes).toEqual([
      { type: 'F16', tensors: 1, bytes: 2560000, share: 2560000 / 3003392 },
      { type: 'Q4_K', tensors: 6, bytes: 442368, share: 442368 / 3003392 },
      { type: 'F32', tensors: 1, bytes: 1024, share: 1024 / 3003392 },
    ]);
    expect([local.stderr, remote.stderr, local.exitCode, remote.exitCode]).toEqual(['', '', 0, 0]);
  });

  test('counts the parts of a split model, and says which part a tensor is in', async () => {
    const parts = [TENSORS.slice(0, 2), TENSORS.slice(2)];
    const sizes: number[] = [];
    for (const [index, tensors] of parts.entries()) {
      const split: Entry[] = [
        ['split.no', index, 'u16'],
        ['split.count', 2, 'u16'],
      ];
      const { header, dataBytes } = buildGguf({ metadata: [...(index === 0 ? METADATA : []), ...split], tensors });
      sizes.push(header.length + dataBytes);
      await writeSparseFile(
        join(folder.path, `parts-0000${index + 1}-of-00002.gguf`),
        header,
        header.length + dataBytes,
      );
    }
    const { stdout } = await askCli(['inspect', join(folder.path, 'parts-00001-of-00002.gguf'), '--json', '--tensors']);
    const facts = JSON.parse(stdout) as { files: { bytes: number }[]; tensors: { file: number }[]; fileBytes: number };
    expect(facts.files.map(({ bytes }) => bytes)).toEqual(sizes);
    expect(facts.fileBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(facts.tensors.map(({ file }) => file)).toEqual([0, 0, 1, 1, 1, 1, 1, 1]);
  });

  test('knows the layers of hybrids and mixtures of experts without a network', async () => {
    const layersOf = async (id: string): Promise<unknown> => {
      const { stdout, exitCode } = await askCli(['inspect', id, '--offline', '--json']);
      expect(exitCode).toBe(0);
      return (JSON.parse(stdout) as { layers: unknown }).layers;
    };
    // every fourth of Qwen3.6's 40 layers attends; 10 of LFM2's 16 are short convolutions
    expect(await layersOf('qwen-3.6-35b-a3b')).toMatchObject({
      attention: { layers: 10, heads: [16], kvHeads: [2] },
      recurrent: { layers: 30 },
      experts: { count: 256, used: [8] },
    });
    expect(await layersOf('lfm2-1.2b')).toMatchObject({
      count: 16,
      attention: { layers: 6 },
      recurrent: { layers: 10 },
    });
    expect(await layersOf('gpt-oss-20b')).toMatchObject({ count: 24, window: { tokens: 128, layers: 12 } });
  });

  test('describes a projector as far as it goes', async () => {
    const projector = join(folder.path, 'mmproj.gguf');
    const { header, dataBytes } = buildGguf({
      metadata: [['general.architecture', 'clip', 'str']],
      tensors: [{ name: 'v.patch_embd.weight', dims: [14, 14, 3, 64], type: 'F16' }],
    });
    await writeSparseFile(projector, header, header.length + dataBytes);
    const { stdout, exitCode } = await askCli(['inspect', projector, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      architecture: 'clip',
      quantization: 'F16',
      layers: null,
      parameters: 37632,
    });
    expect(exitCode).toBe(0);
  });

  test('ends with 3 for a file that cannot be read and 2 for an unknown name', async () => {
    const missing = await askCli(['inspect', join(folder.path, 'missing.gguf')]);
    expect(missing.exitCode).toBe(3);
    expect(missing.stdout).toBe('');
    expect(missing.stderr).toMatch(/^Error: .*missing\.gguf/);
    expect((await askCli(['inspect', 'no-such-model', '--offline'])).exitCode).toBe(2);
  });
});
