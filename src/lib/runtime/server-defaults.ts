import type { CacheType } from './launch-options.js';

/**
 * What llama-server takes where a launch says nothing: `common_params` and `common_params_speculative_draft` (`common/common.h`,
 * llama.cpp v0.5.0); `slots` by "n_parallel is set to auto" in `tools/server/server.cpp`.
 */
export const SERVER_DEFAULTS = {
  slots: 4,
  batchSize: 2048,
  ubatchSize: 512,
  cacheType: 'f16' satisfies CacheType,
  cacheRamMiB: 8192,
  ctxCheckpoints: 32,
  fitTargetMiB: 1024,
  fitCtx: 4096,
  draftMax: 3,
} as const;

/** `LLAMA_MAX_SEQ` (`src/llama-cparams.h`, llama.cpp v0.5.0). */
export const MAX_SLOTS = 256;

/** A context is a multiple of this: the constructor of `llama_context` (`src/llama-context.cpp`, llama.cpp v0.5.0) pads it. */
export const CONTEXT_STEP = 256;

/** More layers than any model has: llama.cpp takes those that there are. */
export const EVERY_LAYER = 999;
