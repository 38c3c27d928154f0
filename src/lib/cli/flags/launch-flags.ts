import * as Flags from '@oclif/core/flags';
import { UsageError } from '../../errors.js';
import { ACCELERATORS, CACHE_TYPES, type Accelerator, type CacheType } from '../../runtime/launch-options.js';

const HELP_GROUP = 'LAUNCH';
/** `LLAMA_MAX_SEQ` in `src/llama-cparams.h` of llama.cpp v0.5.0. */
const MAX_SLOTS = 256;

const gpuLayersFlag = Flags.custom<number>({
  parse: async (input, _context, { name }) => {
    if (input === 'all' || input === 'auto') return -1;
    if (/^-?\d+$/.test(input) && Number(input) >= -1) return Number(input);
    throw new UsageError('INVALID_GPU_LAYERS', `--${name} ${input} is neither a number of layers nor "all"`);
  },
});

/** The options that change what llama-server allocates, for every command that checks memory. */
export const launchFlags = {
  accelerator: Flags.option({ options: ACCELERATORS })({
    description: 'what llama-server runs on (default: metal on Apple silicon, else cpu)',
    env: 'LLMKUBE_ACCELERATOR',
    helpGroup: HELP_GROUP,
  }),
  'ctx-size': Flags.integer({
    aliases: ['context'],
    char: 'c',
    description: 'context in tokens, all slots together; 0 = what the model was trained with',
    env: 'LLMKUBE_CTX_SIZE',
    helpGroup: HELP_GROUP,
    min: 0,
  }),
  parallel: Flags.integer({
    description: 'slots; unset = 4 that share one KV cache',
    env: 'LLMKUBE_PARALLEL',
    helpGroup: HELP_GROUP,
    max: MAX_SLOTS,
    min: 1,
  }),
  'kv-unified': Flags.boolean({
    allowNo: true,
    description: 'one KV cache for all slots',
    env: 'LLMKUBE_KV_UNIFIED',
    helpGroup: HELP_GROUP,
  }),
  'batch-size': Flags.integer({
    description: 'logical batch in tokens',
    env: 'LLMKUBE_BATCH_SIZE',
    helpGroup: HELP_GROUP,
    min: 1,
  }),
  'ubatch-size': Flags.integer({
    description: 'physical batch in tokens',
    env: 'LLMKUBE_UBATCH_SIZE',
    helpGroup: HELP_GROUP,
    min: 1,
  }),
  'gpu-layers': gpuLayersFlag({
    description: 'layers on the GPU; -1 or "all" = every layer',
    env: 'LLMKUBE_GPU_LAYERS',
    helpGroup: HELP_GROUP,
    helpValue: '<n>|all',
  }),
  'flash-attn': Flags.boolean({
    allowNo: true,
    description: 'flash attention; unset = auto',
    env: 'LLMKUBE_FLASH_ATTN',
    helpGroup: HELP_GROUP,
  }),
  'cache-type-k': Flags.option({ options: CACHE_TYPES })({
    description: 'type of the K cache',
    env: 'LLMKUBE_CACHE_TYPE_K',
    helpGroup: HELP_GROUP,
  }),
  'cache-type-v': Flags.option({ options: CACHE_TYPES })({
    description: 'type of the V cache; a quantized one needs flash attention',
    env: 'LLMKUBE_CACHE_TYPE_V',
    helpGroup: HELP_GROUP,
  }),
  'swa-full': Flags.boolean({
    description: 'cache the whole context on sliding-window layers too',
    env: 'LLMKUBE_SWA_FULL',
    helpGroup: HELP_GROUP,
  }),
  'kv-offload': Flags.boolean({
    allowNo: true,
    description: 'keep the KV cache on the GPU',
    env: 'LLMKUBE_KV_OFFLOAD',
    helpGroup: HELP_GROUP,
  }),
  mmap: Flags.boolean({
    allowNo: true,
    description: 'map the file rather than copy it',
    env: 'LLMKUBE_MMAP',
    helpGroup: HELP_GROUP,
  }),
  'cache-ram': Flags.integer({
    description: 'limit of the prompt cache in MiB; 0 = off, -1 = none',
    env: 'LLMKUBE_CACHE_RAM',
    helpGroup: HELP_GROUP,
    min: -1,
  }),
  'llama-cpp': Flags.string({
    description:
      "the llama.cpp that will run: a release, a build or a llama-server's path; auto = this machine's, else the newest known",
    env: 'LLMKUBE_LLAMA_CPP',
    helpGroup: HELP_GROUP,
    helpValue: 'v0.8.0|b11434|auto',
  }),
  quantization: Flags.string({
    char: 'q',
    description: 'another quantization of the same model, such as Q4_K_M',
    env: 'LLMKUBE_QUANTIZATION',
    helpGroup: HELP_GROUP,
  }),
  'extra-args': Flags.string({
    description: "llama-server's own options, quoted; they win over the flags above",
    env: 'LLMKUBE_EXTRA_ARGS',
    helpGroup: HELP_GROUP,
    helpValue: '"--opt value"',
    multiple: true,
    multipleNonGreedy: true,
  }),
};

/** What `launchFlags` parse to. */
export interface LaunchFlagValues {
  readonly accelerator?: Accelerator | undefined;
  readonly 'ctx-size'?: number | undefined;
  readonly parallel?: number | undefined;
  readonly 'kv-unified'?: boolean | undefined;
  readonly 'batch-size'?: number | undefined;
  readonly 'ubatch-size'?: number | undefined;
  readonly 'gpu-layers'?: number | undefined;
  readonly 'flash-attn'?: boolean | undefined;
  readonly 'cache-type-k'?: CacheType | undefined;
  readonly 'cache-type-v'?: CacheType | undefined;
  readonly 'swa-full'?: boolean | undefined;
  readonly 'kv-offload'?: boolean | undefined;
  readonly mmap?: boolean | undefined;
  readonly 'cache-ram'?: number | undefined;
  readonly 'llama-cpp'?: string | undefined;
  readonly quantization?: string | undefined;
  readonly 'extra-args'?: readonly string[] | undefined;
}
