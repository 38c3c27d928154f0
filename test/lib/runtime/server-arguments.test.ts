import { describe, expect, test } from '@jest/globals';
import { valueCount } from '../../../src/lib/runtime/options/option-names.js';
import { parseServerArguments, parseServerEnvironment, splitWords } from '../../../src/lib/runtime/server-arguments.js';
import { SERVER_OPTIONS } from '../../../src/lib/runtime/options/server-options.js';
import { UNMODELLED_OPTIONS } from '../../../src/lib/runtime/options/unmodelled-options.js';
import { EVERY_LAYER } from '../../../src/lib/runtime/server-defaults.js';
import { expertsOnHost } from '../../../src/lib/runtime/options/device-options.js';

const options = (line: string) => parseServerArguments(splitWords(line)).options;

describe('llama-server’s own options', () => {
  test.each([
    ['-c 4096', { ctxSize: 4096 }],
    ['--ctx-size 0', { ctxSize: 0 }],
    ['--ctx_size 4096', { ctxSize: 4096 }],
    ['-np 2 --no-kv-unified', { parallel: 2, kvUnified: false }],
    ['-kvu', { kvUnified: true }],
    ['-no-kvu', { kvUnified: false }],
    ['--rope-scaling yarn --rope-scale 4', { ropeScaling: 'yarn', ropeFreqScale: 0.25 }],
    ['--rope-freq-scale 0.5 --yarn-orig-ctx 32768', { ropeFreqScale: 0.5, yarnOrigCtx: 32768 }],
    ['-b 1024 -ub 256', { batchSize: 1024, ubatchSize: 256 }],
    ['-ngl all', { gpuLayers: -2 }],
    ['-ngl auto', { gpuLayers: -1 }],
    ['--fit off --fit-target 512,2048 --fit-ctx 8192', { fit: false, fitTargetMiB: [512, 2048], fitCtx: 8192 }],
    ['--n-gpu-layers 12', { gpuLayers: 12 }],
    ['-fa on', { flashAttn: 'on' }],
    ['-fa 0', { flashAttn: 'off' }],
    ['--flash-attn auto', { flashAttn: 'auto' }],
    ['-ctk q8_0 -ctv q4_0', { cacheTypeK: 'q8_0', cacheTypeV: 'q4_0' }],
    ['--swa-full', { swaFull: true }],
    ['-nkvo', { kvOffload: false }],
    ['--no-mmap', { mmap: false }],
    ['--load-mode none', { mmap: false }],
    ['-lm mmap+mlock', { mmap: true, mlock: true }],
    ['-lm mlock', { mmap: false, mlock: true }],
    ['--mlock', { mlock: true }],
    ['-cram 0 --ctx-checkpoints 4', { cacheRamMiB: 0, ctxCheckpoints: 4 }],
    ['--swa-checkpoints 3', { ctxCheckpoints: 3 }],
    ['-nr', { repack: false }],
    ['--no-op-offload', { opOffload: false }],
    ['--cpu-moe', { cpuMoeLayers: Infinity }],
    ['-ncmoe 10', { cpuMoeLayers: 10 }],
    ['--embeddings', { mode: 'embedding' }],
    ['--reranking', { mode: 'rerank' }],
    ['--kv-unified-per-slot 2048', { ctxPerSlot: 2048 }],
    ['--threads 8 --metrics --temp 0.7 --jinja', {}],
  ])('%s', (line, expected) => {
    expect(options(line)).toEqual(expected);
  });

  test('are no more for a layer count that no model has than for the most that is looked at', () => {
    expect(options('--n-cpu-ffn 2147483647').tensorOverrides).toHaveLength(EVERY_LAYER);
    expect(expertsOnHost(2_147_483_647)).toHaveLength(EVERY_LAYER);
  });

  test('the last one wins', () => {
    expect(options('-c 4096 --swa-full --ctx-size 8192')).toEqual({ ctxSize: 8192, swaFull: true });
    expect(options('--kv-offload -nkvo --kv-offload')).toEqual({ kvOffload: true });
  });

  test.each([
    ['-c many', "llama-server's -c expects a number"],
    ['-c', "llama-server's -c expects a value"],
    ['-fa perhaps', 'expects on, off or auto'],
    ['-ctk q9', 'expects one of f32'],
    ['-c 2147483648', 'no number beyond 2147483647'],
    ['-np 0', '-np cannot be 0'],
    ['-b 0', '-b cannot be 0'],
    ['--bogus 1', 'llama-server has no option --bogus'],
    ['-c 1 stray', 'llama-server takes no word like "stray"'],
    ['--lora', '--lora expects a value'],
    ['--lora-scaled a.gguf', '--lora-scaled expects FILE:SCALE'],
    ['--draft-max 8', '--draft-max has been removed; use --spec-draft-n-max'],
    ['--draft-n-min 1', '--draft-n-min has been removed; use --spec-draft-n-min'],
    ['--spec-ngram-size-n 8', '--spec-ngram-size-n has been removed; use --spec-ngram-simple-size-n'],
    ['--spec-ngram-min-hits 1', '--spec-ngram-min-hits has been removed; use --spec-ngram-simple-min-hits'],
    ['-mv v.gguf', '-mv names a vocoder, which it never loads'],
    ['--override-kv llama.context_length=1', '--override-kv expects KEY=TYPE:VALUE'],
  ])('%s is refused', (line, message) => {
    expect(() => options(line)).toThrow(message);
  });

  // Of the server, of drafts, of layers, of positions: each is refused by the same rule.
  test.each([
    ...['-c', '-b', '-ub', '--kv-unified-per-slot', '--moe-cache-mib', '--fit-target', '--fit-ctx'],
    ...['--spec-draft-n-max', '--spec-draft-n-ubatch', '--n-cpu-moe', '--n-cpu-ffn', '--rope-scale', '--yarn-orig-ctx'],
  ])('%s takes no number below 0', (option) => {
    expect(() => options(`${option} -3`)).toThrow(`llama-server's ${option} takes no number below 0, and -3 is`);
  });

  test.each([
    ['-m --model -mu --model-url -dr --docker-repo -hf -hfr --hf-repo -hff --hf-file', 'other', 'adds'],
    ['-otd --override-tensor-draft --spec-draft-override-tensor', 'exps=CPU', 'moves'],
    ['-ncmoed --n-cpu-moe-draft --spec-draft-n-cpu-moe --spec-draft-ncmoe', '3', 'moves'],
    ['-cmoed --cpu-moe-draft --spec-draft-cpu-moe', undefined, 'moves'],
    ['--rpc', '10.0.0.1:50052', 'moves'],
    ['-lzm --lazy-mode', 'on', 'shifts'],
    ['-cms --checkpoint-min-step', '256', 'shifts'],
  ])('%s, which are not modelled, leave a remark', (names, value, effect) => {
    for (const name of names.split(' ')) {
      const { options: understood, remarks } = parseServerArguments([name, ...(value === undefined ? [] : [value])]);
      expect(understood).toEqual({});
      expect(remarks).toEqual([{ effect, text: expect.stringContaining(name) }]);
    }
  });

  test.each([
    ['-hfd o/r:Q8_0 -md d.gguf', 'hf:o/r/d.gguf'],
    ['-md sub/d.gguf -hfd o/r', 'hf:o/r/sub/d.gguf'],
    ['-md a.gguf -md b.gguf', 'b.gguf'],
    ['-hfd o/a -hfd o/b:Q4_0', 'hf:o/b:Q4_0'],
  ])('%s drafts with %s', (line, draft) => {
    expect(options(line)).toEqual({ draft });
  });

  test('control vectors are no adapters, and take the same at any scale', () => {
    expect(options('--control-vector a.gguf,b.gguf --control-vector-scaled c.gguf:0 --lora d.gguf')).toEqual({
      controlVectors: ['a.gguf', 'b.gguf', 'c.gguf'],
      adapters: ['d.gguf'],
      adapterScale: 1,
    });
  });

  test('of drafts are understood in all spellings, and types and adapters add up', () => {
    expect(options('-md d.gguf --spec-type draft-simple --spec-type ngram-mod -ngld 4 -ctkd q8_0 -devd none')).toEqual({
      draft: 'd.gguf',
      specTypes: ['draft-simple', 'ngram-mod'],
      draftGpuLayers: 4,
      draftCacheTypeK: 'q8_0',
      draftDevice: 'none',
    });
    expect(options('-hfd owner/model:Q8_0 --spec-draft-n-max 8 --no-spec-draft-backend-sampling')).toEqual({
      draft: 'hf:owner/model:Q8_0',
      draftMax: 8,
      backendSampling: false,
    });
    expect(options('--lora a.gguf,b.gguf --lora-scaled c.gguf:0')).toEqual({
      adapters: ['a.gguf', 'b.gguf', 'c.gguf'],
      adapterScale: 1,
    });
    expect(options('--lora-scaled a.gguf:0')).toEqual({ adapters: ['a.gguf'], adapterScale: 0 });
  });

  test('that do not exist have a likely name', () => {
    expect(() => options('--cache-tpye-k q8_0')).toThrow(
      expect.objectContaining({
        options: { suggestions: [expect.stringContaining('--cache-type-k')] },
      }) as unknown as Error,
    );
  });

  test('are stepped over with all their words', () => {
    expect(options('--chat-template -c --control-vector-layer-range 1 2 -ub 0 --temp -1')).toEqual({ ubatchSize: 0 });
  });

  test.each<[string, object]>([
    ['--gpt-oss-20b-default', { ctxSize: 262_144, parallel: 2, batchSize: 32_768, ubatchSize: 2048 }],
    ['--fim-qwen-7b-default', { ctxSize: 0, fitCtx: 4096, batchSize: 1024, ubatchSize: 1024 }],
    ['--gpt-oss-20b-default -c 4096', { ctxSize: 4096, parallel: 2, batchSize: 32_768, ubatchSize: 2048 }],
    ['--gpt-oss-120b-default', { ctxSize: 262_144, parallel: 2, batchSize: 32_768, ubatchSize: 2048 }],
    ...['1.5b-default', '3b-default', '7b-spec', '14b-spec', '30b-default'].map((name): [string, object] => [
      `--fim-qwen-${name}`,
      { ctxSize: 0, fitCtx: 4096, batchSize: 1024, ubatchSize: 1024 },
    ]),
    ['--vision-gemma-4b-default', { ctxSize: 0, fitCtx: 4096 }],
    ['--vision-gemma-12b-default', { ctxSize: 0, fitCtx: 4096 }],
    ['--embd-gemma-default', { ctxSize: 65_536, parallel: 32, batchSize: 2048, ubatchSize: 2048, mode: 'embedding' }],
  ])('%s loads another model, and says how', (line, expected) => {
    const { options: understood, remarks } = parseServerArguments(splitWords(line));
    expect(understood).toEqual(expected);
    expect(remarks).toEqual([{ effect: 'adds', text: expect.stringContaining('loads another model') }]);
  });

  test('override the header’s values', () => {
    const { overrides, remarks } = parseServerArguments(
      splitWords('--override-kv llama.context_length=int:1048576,a.b=bool:true --override-kv c.d=str:x=y,e=float:0.5'),
    );
    expect(overrides).toEqual([
      { key: 'llama.context_length', value: 1_048_576 },
      { key: 'a.b', value: true },
      { key: 'c.d', value: 'x=y' },
      { key: 'e', value: 0.5 },
    ]);
    expect(remarks).toEqual([]);
  });

  test('all have a number of words', () => {
    const modelled = SERVER_OPTIONS.flatMap(({ names, off }) => [...names, ...(off ?? [])]);
    const all = [...modelled, ...UNMODELLED_OPTIONS.flatMap(({ names }) => names)];
    expect(all.filter((name) => valueCount(name) === undefined)).toEqual([]);
    for (const { names, off, takesValue } of SERVER_OPTIONS) {
      for (const name of [...names, ...(off ?? [])])
        expect([name, valueCount(name)]).toEqual([name, takesValue ? 1 : 0]);
    }
  });

  test('attached with an equals sign are understood, but llama-server would not', () => {
    const { options: understood, remarks } = parseServerArguments(['--ctx-size=8192']);
    expect(understood).toEqual({ ctxSize: 8192 });
    expect(remarks[0]?.text).toContain('write it as --ctx-size 8192');
  });

  test('come from LLAMA_ARG_ variables too', () => {
    const env = { LLAMA_ARG_CTX_SIZE: '4096', LLAMA_ARG_KV_OFFLOAD: '0', LLAMA_ARG_SWA_FULL: 'true', OTHER: '1' };
    expect(parseServerEnvironment(env).options).toEqual({ ctxSize: 4096, kvOffload: false, swaFull: true });
  });

  test('no spelling means two things', () => {
    const modelled = SERVER_OPTIONS.flatMap(({ names, off }) => [...names, ...(off ?? [])]);
    const all = [...modelled, ...UNMODELLED_OPTIONS.flatMap(({ names }) => names)];
    expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
  });
});

describe('words of a command line', () => {
  test.each([
    ['-c 4096', ['-c', '4096']],
    ['  a\t b\n', ['a', 'b']],
    ['-ot "blk.*=CPU 0"', ['-ot', 'blk.*=CPU 0']],
    ["--x 'it''s'", ['--x', 'its']],
    ['a\\ b', ['a b']],
    ['""', ['']],
    ['', []],
  ])('%j', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });
});
