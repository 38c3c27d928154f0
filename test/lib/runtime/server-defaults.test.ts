import { expect, test } from '@jest/globals';
import { CONTEXT_STEP, EVERY_LAYER, MAX_SLOTS, SERVER_DEFAULTS } from '../../../src/lib/runtime/server-defaults.js';

test('what llama-server takes where nothing is said is what its source says', () => {
  expect(SERVER_DEFAULTS).toEqual({
    // "n_parallel is set to auto, using n_parallel = 4" (tools/server/server.cpp)
    slots: 4,
    // `common_params` (common/common.h): n_batch, n_ubatch, cache_type_k and cache_type_v, cache_ram_mib, n_ctx_checkpoints,
    // fit_params_target of 1024 × 1024 × 1024 bytes, fit_params_min_ctx
    batchSize: 2048,
    ubatchSize: 512,
    cacheType: 'f16',
    cacheRamMiB: 8192,
    ctxCheckpoints: 32,
    fitTargetMiB: 1024,
    fitCtx: 4096,
    // `common_params_speculative_draft::n_max`
    draftMax: 3,
  });
  // `LLAMA_MAX_SEQ` (src/llama-cparams.h), `GGML_PAD(cparams.n_ctx, 256)` (src/llama-context.cpp); no model has a thousand layers
  expect([MAX_SLOTS, CONTEXT_STEP, EVERY_LAYER]).toEqual([256, 256, 999]);
});
