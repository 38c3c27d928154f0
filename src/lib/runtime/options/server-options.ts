import {
  denseOnHost,
  deviceList,
  type DeviceNames,
  draftDevice,
  projectorDevice,
  splitMode,
  tensorOverrides,
  tensorSplit,
} from './device-options.js';
import {
  adapterFiles,
  controlVectorFiles,
  draftedTokens,
  draftRepository,
  draftUbatch,
  noVocoder,
  removed,
  scaledAdapterFiles,
  scaledControlVectorFiles,
  specTypes,
} from './draft-options.js';
import { ROPE_OPTIONS } from './rope-options.js';
import {
  cacheType,
  integer,
  isTrueWord,
  layersOnGpu,
  notNegative,
  notZero,
  onOffOrAuto,
  onOrOff,
} from './option-values.js';
import type { LaunchOptions } from '../launch-options.js';

/** The options that one word of llama-server's command line sets. */
export type LaunchPatch = Partial<Omit<LaunchOptions, 'accelerator' | 'cpuArch'>> & {
  /** `--kv-unified-per-slot`: sizes the context when nothing else does. */
  readonly ctxPerSlot?: number;
  /** What devices are called by each option that names some, to be held against the accelerator's names. */
  readonly deviceNames?: DeviceNames;
};

/** An option of llama-server that changes memory and is modelled. `names` are its spellings, `off` those that negate it. */
export interface ServerOption {
  readonly names: readonly string[];
  readonly off?: readonly string[];
  readonly takesValue: boolean;
  /** The variable that can take its place. */
  readonly env?: string;
  /** `patch` always throws: llama-server has it no more. */
  readonly isRefused?: true;
  /** `value` is what follows the option, or `on` and `off` for options that take none. */
  readonly patch: (value: string) => LaunchPatch;
}

/** `common_params_parser_init` in `common/arg.cpp` of llama.cpp v0.5.0; `[older]` marks spellings that it has dropped. */
export const SERVER_OPTIONS: readonly ServerOption[] = [
  number(['-c', '--ctx-size'], 'CTX_SIZE', (ctxSize) => ({ ctxSize: notNegative(ctxSize) })),
  number(['--kv-unified-per-slot'], 'KV_UNIFIED_PER_SLOT', (ctxPerSlot) => ({ ctxPerSlot: notNegative(ctxPerSlot) })),
  ...ROPE_OPTIONS,
  number(['-np', '--parallel'], 'N_PARALLEL', (parallel) => ({ parallel: notZero(parallel) })),
  number(['-b', '--batch-size'], 'BATCH', (batchSize) => ({ batchSize: notZero(notNegative(batchSize)) })),
  number(['-ub', '--ubatch-size'], 'UBATCH', (ubatchSize) => ({ ubatchSize: notNegative(ubatchSize) })),
  number(['-cram', '--cache-ram'], 'CACHE_RAM', (cacheRamMiB) => ({ cacheRamMiB })),
  number(['-ctxcp', '--ctx-checkpoints', '--swa-checkpoints'], 'CTX_CHECKPOINTS', (ctxCheckpoints) => ({
    ctxCheckpoints,
  })),
  number(['-ncffn', '--n-cpu-ffn'], 'N_CPU_FFN', (layers) => denseOnHost(notNegative(layers))),
  { names: ['-ot', '--override-tensor'], takesValue: true, env: 'LLAMA_ARG_OVERRIDE_TENSOR', patch: tensorOverrides },
  { names: ['-dev', '--device'], takesValue: true, env: 'LLAMA_ARG_DEVICE', patch: deviceList },
  { names: ['-sm', '--split-mode'], takesValue: true, env: 'LLAMA_ARG_SPLIT_MODE', patch: splitMode },
  { names: ['-ts', '--tensor-split'], takesValue: true, env: 'LLAMA_ARG_TENSOR_SPLIT', patch: tensorSplit },
  number(['-mg', '--main-gpu'], 'MAIN_GPU', (mainGpu) => ({ mainGpu })),
  number(['-ncmoe', '--n-cpu-moe'], 'N_CPU_MOE', (cpuMoeLayers) => ({ cpuMoeLayers: notNegative(cpuMoeLayers) })),
  number(['--moe-cache-mib'], 'MOE_CACHE_MIB', (expertCacheMiB) => ({ expertCacheMiB: notNegative(expertCacheMiB) })),
  number(['--image-min-tokens'], 'IMAGE_MIN_TOKENS', (imageMinTokens) => ({ imageMinTokens })),
  number(['--image-max-tokens'], 'IMAGE_MAX_TOKENS', (imageMaxTokens) => ({ imageMaxTokens })),
  number(['--mtmd-batch-max-tokens'], 'MTMD_BATCH_MAX_TOKENS', (mtmdBatchMaxTokens) => ({ mtmdBatchMaxTokens })),
  { names: ['-mm', '--mmproj'], takesValue: true, env: 'LLAMA_ARG_MMPROJ', patch: (mmproj) => ({ mmproj }) },
  { names: ['-mmu', '--mmproj-url'], takesValue: true, env: 'LLAMA_ARG_MMPROJ_URL', patch: (mmproj) => ({ mmproj }) },
  { names: ['-mmdev', '--mmproj-device'], takesValue: true, env: 'MTMD_BACKEND_DEVICE', patch: projectorDevice },
  {
    names: ['-ngl', '--gpu-layers', '--n-gpu-layers'],
    takesValue: true,
    env: 'LLAMA_ARG_N_GPU_LAYERS',
    patch: (value) => ({ gpuLayers: layersOnGpu(value) }),
  },
  { names: ['-fit', '--fit'], takesValue: true, env: 'LLAMA_ARG_FIT', patch: (value) => ({ fit: onOrOff(value) }) },
  { names: ['-fitt', '--fit-target'], takesValue: true, env: 'LLAMA_ARG_FIT_TARGET', patch: fitTarget },
  number(['-fitc', '--fit-ctx'], 'FIT_CTX', (fitCtx) => ({ fitCtx: notNegative(fitCtx) })),
  {
    names: ['-fa', '--flash-attn'],
    takesValue: true,
    env: 'LLAMA_ARG_FLASH_ATTN',
    patch: (value) => ({ flashAttn: onOffOrAuto(value) }),
  },
  {
    names: ['-ctk', '--cache-type-k'],
    takesValue: true,
    env: 'LLAMA_ARG_CACHE_TYPE_K',
    patch: (v) => ({ cacheTypeK: cacheType(v) }),
  },
  {
    names: ['-ctv', '--cache-type-v'],
    takesValue: true,
    env: 'LLAMA_ARG_CACHE_TYPE_V',
    patch: (v) => ({ cacheTypeV: cacheType(v) }),
  },
  { names: ['-lm', '--load-mode'], takesValue: true, env: 'LLAMA_ARG_LOAD_MODE', patch: loadMode },
  {
    names: ['-md', '--model-draft', '--spec-draft-model'],
    takesValue: true,
    env: 'LLAMA_ARG_SPEC_DRAFT_MODEL',
    patch: (draft) => ({ draft }),
  },
  {
    names: ['-hfd', '-hfrd', '--hf-repo-draft', '--spec-draft-hf'],
    takesValue: true,
    env: 'LLAMA_ARG_SPEC_DRAFT_HF_REPO',
    patch: draftRepository,
  },
  { names: ['--spec-type'], takesValue: true, env: 'LLAMA_ARG_SPEC_TYPE', patch: specTypes },
  toggle(['--spec-default'], [], undefined, (on) => (on ? { specTypes: ['ngram-mod'] } : {})),
  number(['--spec-draft-n-max'], 'SPEC_DRAFT_N_MAX', draftedTokens),
  number(['--spec-draft-n-ubatch'], 'SPEC_DRAFT_N_UBATCH', draftUbatch),
  ...['mod-n-max', 'simple-size-m', 'map-k-size-m', 'map-k4v-size-m'].map((name) =>
    number([`--spec-ngram-${name}`], undefined, (ngramMax) => ({ ngramMax })),
  ),
  {
    names: ['-ngld', '--gpu-layers-draft', '--n-gpu-layers-draft', '--spec-draft-ngl'],
    takesValue: true,
    env: 'LLAMA_ARG_N_GPU_LAYERS_DRAFT',
    patch: (value) => ({ draftGpuLayers: layersOnGpu(value) }),
  },
  {
    names: ['-ctkd', '--cache-type-k-draft', '--spec-draft-type-k'],
    takesValue: true,
    env: 'LLAMA_ARG_SPEC_DRAFT_CACHE_TYPE_K',
    patch: (v) => ({ draftCacheTypeK: cacheType(v) }),
  },
  {
    names: ['-ctvd', '--cache-type-v-draft', '--spec-draft-type-v'],
    takesValue: true,
    env: 'LLAMA_ARG_SPEC_DRAFT_CACHE_TYPE_V',
    patch: (v) => ({ draftCacheTypeV: cacheType(v) }),
  },
  {
    names: ['-devd', '--device-draft', '--spec-draft-device'],
    takesValue: true,
    patch: draftDevice,
  },
  toggle(
    ['--spec-draft-backend-sampling'],
    ['--no-spec-draft-backend-sampling'],
    'SPEC_DRAFT_BACKEND_SAMPLING',
    (backendSampling) => ({ backendSampling }),
  ),
  { names: ['--lora'], takesValue: true, patch: adapterFiles },
  { names: ['--lora-scaled'], takesValue: true, patch: scaledAdapterFiles },
  { names: ['--control-vector'], takesValue: true, patch: controlVectorFiles },
  { names: ['--control-vector-scaled'], takesValue: true, patch: scaledControlVectorFiles },
  refused(['-mv', '--model-vocoder'], undefined, noVocoder),
  refused(
    ['--draft', '--draft-n', '--draft-max'],
    'DRAFT_MAX',
    removed('--spec-draft-n-max or --spec-ngram-mod-n-max'),
  ),
  refused(['--draft-min', '--draft-n-min'], 'DRAFT_MIN', removed('--spec-draft-n-min or --spec-ngram-mod-n-min')),
  ...['size-n', 'size-m', 'min-hits'].map((name) =>
    refused([`--spec-ngram-${name}`], undefined, removed(`--spec-ngram-simple-${name} or --spec-ngram-map-k-${name}`)),
  ),
  toggle(['-kvu', '--kv-unified'], ['-no-kvu', '--no-kv-unified'], 'KV_UNIFIED', (kvUnified) => ({ kvUnified })),
  toggle(['-kvo', '--kv-offload'], ['-nkvo', '--no-kv-offload'], 'KV_OFFLOAD', (kvOffload) => ({ kvOffload })),
  toggle(['--op-offload'], ['--no-op-offload'], undefined, (opOffload) => ({ opOffload })),
  toggle(['--no-host'], [], 'NO_HOST', (noHost) => ({ noHost })),
  toggle(['--mmproj-auto'], ['--no-mmproj', '--no-mmproj-auto'], 'MMPROJ_AUTO', (mmprojAuto) => ({ mmprojAuto })),
  toggle(['--mmproj-offload'], ['--no-mmproj-offload'], 'MMPROJ_OFFLOAD', (mmprojOffload) => ({ mmprojOffload })),
  toggle(['--warmup'], ['--no-warmup'], undefined, (warmup) => ({ warmup })),
  toggle(['--repack'], ['-nr', '--no-repack'], 'REPACK', (repack) => ({ repack })),
  toggle(['--mmap'], ['--no-mmap'], 'MMAP', (mmap) => ({ mmap })), // [older]
  toggle(['--mlock'], [], 'MLOCK', (on) => (on ? { mlock: true } : {})), // [older]
  toggle(['--swa-full'], [], 'SWA_FULL', (swaFull) => ({ swaFull })),
  toggle(['-cmoe', '--cpu-moe'], [], 'CPU_MOE', (on) => (on ? { cpuMoeLayers: Infinity } : {})),
  toggle(['--embedding', '--embeddings'], [], 'EMBEDDINGS', (on) => (on ? { mode: 'embedding' } : {})),
  toggle(['--rerank', '--reranking'], [], 'RERANKING', (on) => (on ? { mode: 'rerank' } : {})),
];

const BY_NAME = new Map(
  SERVER_OPTIONS.flatMap((option) => [...option.names, ...(option.off ?? [])].map((name) => [name, option] as const)),
);

export function serverOption(name: string): ServerOption | undefined {
  return BY_NAME.get(name);
}

/** The option whose place a variable takes, by `LLAMA_ARG_NO_*` too where it can be negated. */
export function optionOfVariable(name: string): ServerOption | undefined {
  const negated = name.replace('LLAMA_ARG_NO_', 'LLAMA_ARG_');
  return SERVER_OPTIONS.find(
    ({ env, off = [] }) => env !== undefined && (env === name || (off.length > 0 && env === negated)),
  );
}

/** The word as llama-server looks it up: underscores count as dashes in long options. */
export function normaliseOptionName(word: string): string {
  return word.startsWith('--') ? word.replaceAll('_', '-') : word;
}

function number(
  names: readonly string[],
  env: string | undefined,
  patch: (value: number) => LaunchPatch,
): ServerOption {
  return { names, takesValue: true, ...(env && { env: `LLAMA_ARG_${env}` }), patch: (value) => patch(integer(value)) };
}

function refused(names: readonly string[], env: string | undefined, patch: () => LaunchPatch): ServerOption {
  return { names, takesValue: true, ...(env && { env: `LLAMA_ARG_${env}` }), isRefused: true, patch };
}

function toggle(
  names: readonly string[],
  off: readonly string[],
  env: string | undefined,
  patch: (on: boolean) => LaunchPatch,
): ServerOption {
  return {
    names,
    off,
    takesValue: false,
    ...(env && { env: `LLAMA_ARG_${env}` }),
    patch: (value) => patch(isTrueWord(value)),
  };
}

/** In MiB: one value for all devices, or one each. */
function fitTarget(value: string): LaunchPatch {
  const targets = value.split(/[,/]/).map((target) => notNegative(integer(target)));
  return { fitTargetMiB: targets };
}

/** `llama_model_loader` in `src/llama-model-loader.cpp` maps the file in these modes only. */
function loadMode(value: string): LaunchPatch {
  return { mmap: ['auto', 'mmap', 'mmap+mlock'].includes(value), ...(value.endsWith('mlock') && { mlock: true }) };
}
