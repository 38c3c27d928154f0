import type { InferredFlags } from '@oclif/core/interfaces';
import * as Flags from '@oclif/core/flags';
import { UsageError } from '../../errors.js';
import { draftFlags, draftPatch } from './draft-flags.js';
import { gpuLayersFlag } from './values/gpu-layers.js';
import { wholeNumber, wholeNumbers } from './values/whole-number.js';
import { ACCELERATORS, CACHE_TYPES, SPLIT_MODES } from '../../runtime/launch-options.js';
import {
  addedUp,
  deviceList,
  draftDevice,
  tensorOverrides,
  tensorSplit,
} from '../../runtime/options/device-options.js';
import type { LaunchPatch } from '../../runtime/options/server-options.js';
import { MAX_SLOTS } from '../../runtime/server-defaults.js';

const HELP_GROUP = 'LAUNCH';

/** The options that change what llama-server allocates, for every command that checks memory. */
export const launchFlags = {
  accelerator: Flags.option({ options: ACCELERATORS })({
    description: 'what llama-server runs on (default: what this machine has, metal on Apple silicon; cpu for others)',
    env: 'LLMKUBE_ACCELERATOR',
    helpGroup: HELP_GROUP,
  }),
  'ctx-size': wholeNumber({ min: 0, thousands: true })({
    aliases: ['context'],
    char: 'c',
    description: 'context in tokens, such as 8192 or 8k, all slots together; 0 = what the model was trained with',
    env: 'LLMKUBE_CTX_SIZE',
    helpGroup: HELP_GROUP,
  }),
  parallel: wholeNumber({ min: 1, max: MAX_SLOTS, orAuto: true })({
    description: 'slots; unset or -1 = 4 that share one KV cache',
    env: 'LLMKUBE_PARALLEL',
    helpGroup: HELP_GROUP,
  }),
  'kv-unified': Flags.boolean({
    allowNo: true,
    description: 'one KV cache for all slots',
    env: 'LLMKUBE_KV_UNIFIED',
    helpGroup: HELP_GROUP,
  }),
  'batch-size': wholeNumber({ min: 1, thousands: true })({
    description: 'logical batch in tokens',
    env: 'LLMKUBE_BATCH_SIZE',
    helpGroup: HELP_GROUP,
  }),
  'ubatch-size': wholeNumber({ min: 0, thousands: true })({
    description: 'physical batch in tokens; 0 = the logical batch',
    env: 'LLMKUBE_UBATCH_SIZE',
    helpGroup: HELP_GROUP,
  }),
  'gpu-layers': gpuLayersFlag({
    description: 'layers on the GPU; all = every layer, auto = what llama-server finds room for (--fit)',
    env: 'LLMKUBE_GPU_LAYERS',
    helpGroup: HELP_GROUP,
  }),
  fit: Flags.option({ options: ['on', 'off'] })({
    description: 'whether llama-server chooses an open context and open layers by itself (default: on)',
    env: 'LLMKUBE_FIT',
    helpGroup: HELP_GROUP,
  }),
  'fit-target': wholeNumbers()({
    description: 'what that leaves free on each device, in MiB: one number for all, or one each (default: 1024)',
    env: 'LLMKUBE_FIT_TARGET',
    helpGroup: HELP_GROUP,
  }),
  'fit-ctx': wholeNumber({ min: 0, thousands: true })({
    description: 'the least context that it goes down to (default: 4096)',
    env: 'LLMKUBE_FIT_CTX',
    helpGroup: HELP_GROUP,
  }),
  'split-mode': Flags.option({ options: SPLIT_MODES })({
    description: 'how several GPUs share a model: by layer, or none for one GPU',
    env: 'LLMKUBE_SPLIT_MODE',
    helpGroup: HELP_GROUP,
  }),
  'tensor-split': Flags.string({
    description: 'shares of the layers, one a GPU (default: by free memory)',
    env: 'LLMKUBE_TENSOR_SPLIT',
    helpGroup: HELP_GROUP,
    helpValue: '3,1',
  }),
  'main-gpu': wholeNumber({ max: 15 })({
    description: 'the one GPU to use with --split-mode none',
    env: 'LLMKUBE_MAIN_GPU',
    helpGroup: HELP_GROUP,
  }),
  device: Flags.string({
    description: 'the only GPUs to use, such as CUDA0,CUDA1; none = none of them',
    env: 'LLMKUBE_DEVICE',
    helpGroup: HELP_GROUP,
  }),
  'override-tensor': Flags.string({
    description: 'where weights go whose name fits a pattern, such as exps=CPU; the first that fits holds',
    env: 'LLMKUBE_OVERRIDE_TENSOR',
    helpGroup: HELP_GROUP,
    helpValue: '<pattern>=<buffer>',
    multiple: true,
    multipleNonGreedy: true,
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
  'cache-ram': wholeNumber({ min: -1, thousands: true })({
    description: 'limit of the prompt cache in MiB; 0 = off, -1 = none',
    env: 'LLMKUBE_CACHE_RAM',
    helpGroup: HELP_GROUP,
  }),
  'llama-cpp': Flags.string({
    description:
      "the llama.cpp that will run: a release, a build or a llama-server's path; auto = this machine's, else the newest known",
    env: 'LLMKUBE_LLAMA_CPP',
    helpGroup: HELP_GROUP,
    helpValue: 'v0.8.0|b11434|auto',
  }),
  mmproj: Flags.string({
    description: 'multimodal projector to load beside the model: a path, a URL or hf:OWNER/REPO/FILE.gguf',
    env: 'LLMKUBE_MMPROJ',
    exclusive: ['no-mmproj'],
    helpGroup: HELP_GROUP,
    helpValue: '<source>',
  }),
  'mmproj-url': Flags.string({
    description: 'the same by its address, as llama-server calls it',
    env: 'LLMKUBE_MMPROJ_URL',
    exclusive: ['mmproj', 'no-mmproj'],
    helpGroup: HELP_GROUP,
    helpValue: '<url>',
  }),
  'no-mmproj': Flags.boolean({
    description: "without the projector that llama-server -hf, or the catalogue's entry, would load too",
    env: 'LLMKUBE_NO_MMPROJ',
    helpGroup: HELP_GROUP,
  }),
  'mmproj-offload': Flags.boolean({
    allowNo: true,
    description: 'the projector on the GPU; --no-mmproj-offload keeps it on the CPU',
    env: 'LLMKUBE_MMPROJ_OFFLOAD',
    helpGroup: HELP_GROUP,
  }),
  'image-min-tokens': Flags.integer({
    description: 'least tokens of an image; unset = by the projector',
    env: 'LLMKUBE_IMAGE_MIN_TOKENS',
    helpGroup: HELP_GROUP,
    min: 1,
  }),
  'image-max-tokens': Flags.integer({
    description: 'most tokens of an image, which bounds what images make grow; unset = by the projector',
    env: 'LLMKUBE_IMAGE_MAX_TOKENS',
    helpGroup: HELP_GROUP,
    min: 1,
  }),
  ...draftFlags,
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

/** For commands that look at one model. */
export const fileFlag = {
  file: Flags.string({
    description:
      'another file of the same repository or folder, such as Q8_0/model.gguf; the last of --file and --quantization counts',
    env: 'LLMKUBE_FILE',
    exclusive: ['quantization'],
    helpGroup: HELP_GROUP,
    helpValue: 'FILE.gguf',
  }),
};

/** What `launchFlags` parse to, and `fileFlag` where there is one. */
export type LaunchFlagValues = Partial<InferredFlags<typeof launchFlags> & InferredFlags<typeof fileFlag>>;

/** The options of llama-server that the flags name; what is not said is not in it. */
export function launchPatch(flags: LaunchFlagValues): LaunchPatch {
  const flashAttn = flags['flash-attn'];
  const patch = {
    ctxSize: flags['ctx-size'],
    parallel: flags.parallel,
    kvUnified: flags['kv-unified'],
    batchSize: flags['batch-size'],
    ubatchSize: flags['ubatch-size'],
    gpuLayers: flags['gpu-layers'],
    fit: flags.fit === undefined ? undefined : flags.fit === 'on',
    fitTargetMiB: flags['fit-target'],
    fitCtx: flags['fit-ctx'],
    flashAttn: flashAttn === undefined ? undefined : flashAttn ? 'on' : 'off',
    cacheTypeK: flags['cache-type-k'],
    cacheTypeV: flags['cache-type-v'],
    swaFull: flags['swa-full'],
    kvOffload: flags['kv-offload'],
    mmap: flags.mmap,
    cacheRamMiB: flags['cache-ram'],
    mmproj: flags.mmproj ?? flags['mmproj-url'],
    mmprojAuto: flags['no-mmproj'] === true ? false : undefined,
    mmprojOffload: flags['mmproj-offload'],
    imageMinTokens: flags['image-min-tokens'],
    imageMaxTokens: flags['image-max-tokens'],
    splitMode: flags['split-mode'],
    mainGpu: flags['main-gpu'],
    ...read('tensor-split', flags['tensor-split'], tensorSplit),
    ...read('device', flags.device, deviceList),
    ...read('override-tensor', flags['override-tensor'], (texts) => tensorOverrides([texts].flat().join())),
  } as const;
  const said = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const draft = { ...draftPatch(flags), ...read('spec-draft-device', flags['spec-draft-device'], draftDevice) };
  return addedUp(said, draft);
}

/** What the value of a flag means, its name before what is wrong with it. */
function read<T>(flag: string, value: T | undefined, meaning: (value: T) => LaunchPatch): LaunchPatch {
  if (value === undefined) return {};
  try {
    return meaning(value);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `--${flag} ${error.message}`, error.options);
  }
}
