import { describe, expect, test } from '@jest/globals';
import { SERVER_OPTIONS } from '../../../../src/lib/runtime/options/server-options.js';
import { parseServerArguments, parseServerEnvironment } from '../../../../src/lib/runtime/server-arguments.js';

/**
 * Spellings, those that negate, and the variable after `LLAMA_ARG_`, as `add_opt` has them in `common/arg.cpp` of llama.cpp v0.5.0 (and
 * of b9453 and b12032 the last of each part); a value, and what is meant by it.
 */
const WITH_VALUE: readonly (readonly [
  spellings: string,
  variable: string | undefined,
  value: string,
  meant: object,
])[] = [
  ['-c --ctx-size', 'CTX_SIZE', '4096', { ctxSize: 4096 }],
  ['--kv-unified-per-slot', 'KV_UNIFIED_PER_SLOT', '4096', { ctxPerSlot: 4096 }],
  ['-b --batch-size', 'BATCH', '1024', { batchSize: 1024 }],
  ['-ub --ubatch-size', 'UBATCH', '256', { ubatchSize: 256 }],
  ['-ctxcp --ctx-checkpoints --swa-checkpoints', 'CTX_CHECKPOINTS', '4', { ctxCheckpoints: 4 }],
  ['-cram --cache-ram', 'CACHE_RAM', '-1', { cacheRamMiB: -1 }],
  ['-fa --flash-attn', 'FLASH_ATTN', 'off', { flashAttn: 'off' }],
  ['--rope-scaling', 'ROPE_SCALING_TYPE', 'linear', { ropeScaling: 'linear' }],
  ['--rope-scale', 'ROPE_SCALE', '4', { ropeFreqScale: 0.25 }],
  ['--rope-freq-scale', 'ROPE_FREQ_SCALE', '0.5', { ropeFreqScale: 0.5 }],
  ['--yarn-orig-ctx', 'YARN_ORIG_CTX', '8192', { yarnOrigCtx: 8192 }],
  ['-ctk --cache-type-k', 'CACHE_TYPE_K', 'q8_0', { cacheTypeK: 'q8_0' }],
  ['-ctv --cache-type-v', 'CACHE_TYPE_V', 'q8_0', { cacheTypeV: 'q8_0' }],
  ['-np --parallel', 'N_PARALLEL', '2', { parallel: 2 }],
  ['-mm --mmproj', 'MMPROJ', 'p.gguf', { mmproj: 'p.gguf' }],
  ['-mmu --mmproj-url', 'MMPROJ_URL', 'https://h/p.gguf', { mmproj: 'https://h/p.gguf' }],
  ['--image-min-tokens', 'IMAGE_MIN_TOKENS', '64', { imageMinTokens: 64 }],
  ['--image-max-tokens', 'IMAGE_MAX_TOKENS', '512', { imageMaxTokens: 512 }],
  ['--mtmd-batch-max-tokens', 'MTMD_BATCH_MAX_TOKENS', '2048', { mtmdBatchMaxTokens: 2048 }],
  ['-lm --load-mode', 'LOAD_MODE', 'dio', { mmap: false }],
  ['-dev --device', 'DEVICE', 'CUDA1,CUDA0', { devices: [1, 0], deviceNames: { '--device': ['CUDA1', 'CUDA0'] } }],
  ['-ot --override-tensor', 'OVERRIDE_TENSOR', 'exps=CPU', { tensorOverrides: [{ pattern: 'exps', buffer: 'CPU' }] }],
  ['-ncmoe --n-cpu-moe', 'N_CPU_MOE', '7', { cpuMoeLayers: 7 }],
  [
    '-ncffn --n-cpu-ffn',
    'N_CPU_FFN',
    '1',
    { tensorOverrides: [{ pattern: String.raw`blk\.0\.ffn_(up|down|gate)\.`, buffer: 'CPU' }] },
  ],
  ['-ngl --gpu-layers --n-gpu-layers', 'N_GPU_LAYERS', '12', { gpuLayers: 12 }],
  ['-sm --split-mode', 'SPLIT_MODE', 'row', { splitMode: 'row' }],
  ['-ts --tensor-split', 'TENSOR_SPLIT', '3,1', { tensorSplit: [3, 1] }],
  ['-mg --main-gpu', 'MAIN_GPU', '1', { mainGpu: 1 }],
  ['-fit --fit', 'FIT', 'off', { fit: false }],
  ['-fitt --fit-target', 'FIT_TARGET', '512/256', { fitTargetMiB: [512, 256] }],
  ['-fitc --fit-ctx', 'FIT_CTX', '8192', { fitCtx: 8192 }],
  ['--lora', undefined, 'a.gguf', { adapters: ['a.gguf'], adapterScale: 1 }],
  ['--lora-scaled', undefined, 'a.gguf:0.5', { adapters: ['a.gguf'], adapterScale: 0.5 }],
  ['--control-vector', undefined, 'a.gguf', { controlVectors: ['a.gguf'] }],
  ['--control-vector-scaled', undefined, 'a.gguf:0.5', { controlVectors: ['a.gguf'] }],
  ['--spec-draft-hf -hfd -hfrd --hf-repo-draft', 'SPEC_DRAFT_HF_REPO', 'o/r:Q8_0', { draft: 'hf:o/r:Q8_0' }],
  ['--spec-draft-type-k -ctkd --cache-type-k-draft', 'SPEC_DRAFT_CACHE_TYPE_K', 'q8_0', { draftCacheTypeK: 'q8_0' }],
  ['--spec-draft-type-v -ctvd --cache-type-v-draft', 'SPEC_DRAFT_CACHE_TYPE_V', 'q8_0', { draftCacheTypeV: 'q8_0' }],
  ['--spec-draft-n-max', 'SPEC_DRAFT_N_MAX', '8', { draftMax: 8 }],
  ['--spec-draft-device -devd --device-draft', undefined, 'none', { draftDevice: 'none' }],
  ['--spec-draft-ngl -ngld --gpu-layers-draft --n-gpu-layers-draft', 'N_GPU_LAYERS_DRAFT', '4', { draftGpuLayers: 4 }],
  ['--spec-draft-model -md --model-draft', 'SPEC_DRAFT_MODEL', 'd.gguf', { draft: 'd.gguf' }],
  ['--spec-type', 'SPEC_TYPE', 'draft-mtp', { specTypes: ['draft-mtp'] }],
  ...['mod-n-max', 'simple-size-m', 'map-k-size-m', 'map-k4v-size-m'].map(
    (name) => [`--spec-ngram-${name}`, undefined, '48', { ngramMax: 48 }] as const,
  ),
  [
    '-mmdev --mmproj-device',
    undefined,
    'CUDA1',
    { mmprojOffload: true, mmprojDevice: 1, deviceNames: { '--mmproj-device': ['CUDA1'] } },
  ],
  ['--moe-cache-mib', 'MOE_CACHE_MIB', '2048', { expertCacheMiB: 2048 }],
  ['--spec-draft-n-ubatch', 'SPEC_DRAFT_N_UBATCH', '64', { draftUbatchSize: 64 }],
];

const WITHOUT_VALUE: readonly (readonly [
  on: string,
  off: string,
  variable: string | undefined,
  on: object,
  off: object,
])[] = [
  ['--swa-full', '', 'SWA_FULL', { swaFull: true }, {}],
  ['-kvu --kv-unified', '-no-kvu --no-kv-unified', 'KV_UNIFIED', { kvUnified: true }, { kvUnified: false }],
  ['--warmup', '--no-warmup', undefined, { warmup: true }, { warmup: false }],
  ['-kvo --kv-offload', '-nkvo --no-kv-offload', 'KV_OFFLOAD', { kvOffload: true }, { kvOffload: false }],
  ['--repack', '-nr --no-repack', 'REPACK', { repack: true }, { repack: false }],
  ['--no-host', '', 'NO_HOST', { noHost: true }, {}],
  ['--mmproj-auto', '--no-mmproj --no-mmproj-auto', 'MMPROJ_AUTO', { mmprojAuto: true }, { mmprojAuto: false }],
  ['--mmproj-offload', '--no-mmproj-offload', 'MMPROJ_OFFLOAD', { mmprojOffload: true }, { mmprojOffload: false }],
  ['-cmoe --cpu-moe', '', 'CPU_MOE', { cpuMoeLayers: Infinity }, {}],
  ['--op-offload', '--no-op-offload', undefined, { opOffload: true }, { opOffload: false }],
  ['--embedding --embeddings', '', 'EMBEDDINGS', { mode: 'embedding' }, {}],
  ['--rerank --reranking', '', 'RERANKING', { mode: 'rerank' }, {}],
  [
    '--spec-draft-backend-sampling',
    '--no-spec-draft-backend-sampling',
    'SPEC_DRAFT_BACKEND_SAMPLING',
    { backendSampling: true },
    { backendSampling: false },
  ],
  ['--spec-default', '', undefined, { specTypes: ['ngram-mod'] }, {}],
  ['--mmap', '--no-mmap', 'MMAP', { mmap: true }, { mmap: false }],
  ['--mlock', '', 'MLOCK', { mlock: true }, {}],
];

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');
const read = (...line: string[]): object => parseServerArguments(line).options;
const readVariable = (name: string, value: string): object =>
  parseServerEnvironment({ [`LLAMA_ARG_${name}`]: value }).options;

describe('each spelling of an option of llama-server, and its variable, mean the same', () => {
  test.each(WITH_VALUE)('%s (%s) %s', (spellings, variable, value, meant) => {
    for (const name of words(spellings)) expect([name, read(name, value)]).toEqual([name, meant]);
    if (variable !== undefined) expect(readVariable(variable, value)).toEqual(meant);
  });

  test.each(WITHOUT_VALUE)('%s, and the contrary %s (%s)', (on, off, variable, meant, contrary) => {
    for (const name of words(on)) expect([name, read(name)]).toEqual([name, meant]);
    for (const name of words(off)) expect([name, read(name)]).toEqual([name, contrary]);
    if (variable === undefined) return;
    for (const value of ['on', 'enabled', 'true', '1']) expect(readVariable(variable, value)).toEqual(meant);
    // `LLAMA_ARG_NO_*` holds whatever it is set to, where there is a contrary.
    if (off !== '') expect(readVariable(`NO_${variable}`, '0')).toEqual(contrary);
    for (const value of ['off', '0', 'yes']) expect([value, readVariable(variable, value)]).not.toEqual([value, meant]);
  });

  test('and no other option is read', () => {
    const known = [...WITH_VALUE.map(([names]) => names), ...WITHOUT_VALUE.flatMap(([on, off]) => [on, off])].flatMap(
      words,
    );
    const all = SERVER_OPTIONS.filter(({ isRefused }) => !isRefused).flatMap(({ names, off = [] }) => [
      ...names,
      ...off,
    ]);
    expect([...all].sort()).toEqual([...known].sort());
  });

  test('a projector’s device is named by a variable without LLAMA_ARG_', () => {
    expect(parseServerEnvironment({ MTMD_BACKEND_DEVICE: 'CUDA1' }).options).toEqual({
      mmprojOffload: true,
      mmprojDevice: 1,
      deviceNames: { '--mmproj-device': ['CUDA1'] },
    });
  });
});

test.each([
  ['--draft --draft-n --draft-max', 'DRAFT_MAX', '--spec-draft-n-max'],
  ['--draft-min --draft-n-min', 'DRAFT_MIN', '--spec-draft-n-min'],
  ['--spec-ngram-size-m', undefined, '--spec-ngram-simple-size-m'],
])(
  '%s (%s), which llama-server has no more, is refused with what takes its place',
  (spellings, variable, successor) => {
    for (const name of words(spellings)) expect(() => read(name, '4')).toThrow(`has been removed; use ${successor}`);
    if (variable !== undefined) expect(() => readVariable(variable, '4')).toThrow('has been removed');
  },
);

describe('a value of an option of llama-server', () => {
  test.each([
    ['-fa', 'on enabled true 1', { flashAttn: 'on' }],
    ['-fa', 'off disabled false 0', { flashAttn: 'off' }],
    ['-fa', 'auto -1', { flashAttn: 'auto' }],
    ['--fit', 'on enabled true 1', { fit: true }],
    ['--fit', 'off disabled false 0', { fit: false }],
    ['-ngl', 'all', { gpuLayers: -2 }],
    ['-ngl', 'auto -1', { gpuLayers: -1 }],
    ['-lm', 'auto mmap', { mmap: true }],
    ['-lm', 'mmap+mlock', { mmap: true, mlock: true }],
    ['-lm', 'none dio', { mmap: false }],
    ['-lm', 'mlock', { mmap: false, mlock: true }],
    ['-mmdev', 'none', { mmprojOffload: false }],
    ['-dev', 'none', { devices: [] }],
    ['-c', '2147483647', { ctxSize: 2_147_483_647 }],
    ['-np', '-2147483648', { parallel: -2_147_483_648 }],
    ['-ub', '0', { ubatchSize: 0 }],
  ])('of %s may be %s', (name, values, meant) => {
    for (const value of words(values)) expect([value, read(name, value)]).toEqual([value, meant]);
  });

  test.each(['f32', 'f16', 'bf16', 'q8_0', 'q4_0', 'q4_1', 'iq4_nl', 'q5_0', 'q5_1'])('of -ctk may be %s', (type) => {
    expect(read('-ctk', type)).toEqual({ cacheTypeK: type });
  });

  test.each(['none', 'layer', 'row', 'tensor'])('of -sm may be %s', (mode) => {
    expect(read('-sm', mode)).toEqual({ splitMode: mode });
  });

  test('of -ts has shares for fewer than the 16 devices that llama.cpp can have', () => {
    expect(read('-ts', Array(15).fill('1').join())).toEqual({ tensorSplit: Array(15).fill(1) });
    expect(() => read('-ts', Array(16).fill('1').join())).toThrow('expects fewer than 16 shares, not 16');
  });

  test.each([
    ['-np', '-2147483649', 'takes no number beyond'],
    ['-b', '-1', 'takes no number below 0, and -1 is'],
    ['-ub', '-1', 'takes no number below 0, and -1 is'],
    ['--fit-ctx', '-1', 'takes no number below 0, and -1 is'],
    ['--fit-target', '-1', 'takes no number below 0, and -1 is'],
    ['--kv-unified-per-slot', '-1', 'takes no number below 0, and -1 is'],
    ['--spec-draft-n-max', '-1', 'takes no number below 0'],
    ['--rope-scale', '0', 'expects a number above 0'],
    ['--rope-freq-scale', '-1', 'takes no number below 0, and -1 is'],
    ['--rope-freq-scale', ' ', 'expects a number'],
    ['--rope-scaling', 'cubic', 'expects one of none, linear, yarn'],
    ['-sm', 'rows', 'expects one of none, layer, row, tensor'],
    ['-ts', '3,-1', 'expects a share for each GPU'],
    ['-ot', 'exps', 'expects PATTERN=BUFFER'],
    ['-dev', '0', 'expects devices such as CUDA0,CUDA1'],
    ['--override-kv', 'a.b=bool:yes', 'expects KEY=TYPE:VALUE'],
    ['--override-kv', 'a.b=int:many', 'expects KEY=TYPE:VALUE'],
    ['--override-kv', 'a.b=float:', 'expects KEY=TYPE:VALUE'],
    ['--override-kv', `${'a'.repeat(128)}=int:1`, 'expects KEY=TYPE:VALUE'],
  ])('of %s cannot be %s', (name, value, problem) => {
    expect(() => read(name, value)).toThrow(problem);
  });
});

test('a value that is read in place of the header’s is a number as far as it is one, or one of two words', () => {
  const overrides = (text: string) => parseServerArguments(['--override-kv', text]).overrides.map(({ value }) => value);
  expect(overrides('a=int:-12rest,b=bool:false,c=bool:true,d=float:1e-5,e=str:')).toEqual([-12, false, true, 1e-5, '']);
  expect(overrides(`${'a'.repeat(127)}=int:1`)).toEqual([1]);
});
