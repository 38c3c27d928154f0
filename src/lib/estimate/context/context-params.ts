import { type GgmlType, ggmlTypeByName } from '../../gguf/ggml-types.js';
import { UsageError } from '../../errors.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { CacheType, LaunchOptions } from '../../runtime/launch-options.js';
import { llamaCpp, type Switches } from '../../runtime/llama-cpp.js';
import type { ContextMemory } from '../caches/cache.js';
import { isQuantized, pad } from '../ggml/tensor.js';
import type { Placement } from '../weights/placement.js';
import {
  contextFlags,
  refuseImpossible,
  refuseSmallBatch,
  refuseSmallUbatch,
  refuseTrainedContext,
  refuseUnsupported,
} from '../refused-launches.js';
import { CONTEXT_STEP, MAX_SLOTS, SERVER_DEFAULTS } from '../../runtime/server-defaults.js';
import { POOLING_NONE, POOLING_RANK } from '../graph/pooling.js';

/** What a draft's graph reads of the model that it drafts for: `ctx_other`. */
export interface TargetContext {
  readonly shape: ModelShape;
  readonly placement: Placement;
  readonly memory: ContextMemory;
}

/**
 * What speculative decoding makes of a context, beside the launch's options: `server_output_limits`
 * (`tools/server/server-context.cpp`) and `common_base_params_to_speculative` (`common/speculative.cpp`, llama.cpp v0.5.0).
 */
export interface ContextRole {
  /** Rows of logits that one slot may ask for in a batch. */
  readonly outputsPerSlot: number;
  /** Earlier recurrent states kept for each slot (`n_rs_seq`), where the architecture can go back to them. */
  readonly statesKept: number;
  /** The context runs the blocks that predict ahead (`LLAMA_CONTEXT_TYPE_MTP`). */
  readonly predictsAhead: boolean;
  /** Each slot has a sampler in the graph. */
  readonly sampled: boolean;
  /** Layers whose inputs are kept for a draft. */
  readonly tapped: readonly number[];
  /** Rows with an output also keep the last hidden state for the next draft: `embeddings_nextn`, masked. */
  readonly keepsRows: boolean;
  /** All rows of the last hidden state are kept for a draft: `embeddings_nextn`, unmasked. */
  readonly keepsAllRows: boolean;
  readonly target: TargetContext | null;
}

export const WITHOUT_DRAFT: ContextRole = {
  outputsPerSlot: 1,
  statesKept: 0,
  predictsAhead: false,
  sampled: false,
  tapped: [],
  keepsRows: false,
  keepsAllRows: false,
  target: null,
};

/** `struct llama_cparams` (`src/llama-cparams.h`, llama.cpp v0.5.0), as far as memory depends on it. */
export interface ContextParams {
  readonly nCtx: number;
  readonly nCtxSeq: number;
  readonly nSeqMax: number;
  readonly kvUnified: boolean;
  readonly nBatch: number;
  readonly nUbatch: number;
  readonly nOutputsMax: number;
  readonly flashAttn: boolean;
  /** Flash attention stays on only if every layer's device can run it. */
  readonly autoFlashAttn: boolean;
  readonly typeK: GgmlType;
  readonly typeV: GgmlType;
  readonly offloadKqv: boolean;
  readonly opOffload: boolean;
  readonly swaFull: boolean;
  /** Room on the GPUs for experts that lie on the host (`moe_cache_size`); 0 = none. */
  readonly expertCacheBytes: number;
  readonly embeddings: boolean;
  readonly pooling: number;
  /** What the llama.cpp that will run has of the changes between versions. */
  readonly llama: Switches;
  readonly role: ContextRole;
}

/** `llm_arch_supports_rs_rollback` (`src/llama-arch.cpp`, llama.cpp v0.5.0). */
const ROLLS_BACK: ReadonlySet<string> = new Set([
  'kimi-k3',
  'qwen35',
  'qwen35moe',
  'qwen4exp',
  'deepseek4',
  'nemotron_h',
  'nemotron_h_moe',
  'lfm2',
  'lfm2moe',
  'bailingmoe3',
]);

/**
 * What llama-server and the constructor of `llama_context` (`src/llama-context.cpp`) make of launch options.
 * @throws UsageError for combinations that llama.cpp refuses.
 */
export function resolveContext(
  { hparams, architecture }: ModelShape,
  launch: LaunchOptions,
  role = WITHOUT_DRAFT,
): ContextParams {
  const embeddings = launch.mode === 'embedding' || launch.mode === 'rerank';
  refuseImpossible(launch, embeddings);
  let nBatchWanted = launch.batchSize ?? SERVER_DEFAULTS.batchSize;
  const nUbatchWanted = launch.ubatchSize === 0 ? nBatchWanted : (launch.ubatchSize ?? SERVER_DEFAULTS.ubatchSize);
  if (embeddings) nBatchWanted = Math.min(nBatchWanted, nUbatchWanted);

  const autoSlots = launch.parallel === undefined || launch.parallel < 0;
  const nSeqMax = autoSlots ? SERVER_DEFAULTS.slots : Math.max(1, launch.parallel ?? 1);
  if (nSeqMax > MAX_SLOTS) {
    throw new UsageError(
      'LAUNCH_TOO_MANY_SLOTS',
      `llama-server runs at most ${MAX_SLOTS} slots; --parallel ${nSeqMax} is more, lower it.`,
    );
  }
  const kvUnified = autoSlots || launch.kvUnified === true;

  refuseTrainedContext(hparams, launch);
  const nCtxAsked = launch.ctxSize || hparams.nCtxTrain;
  const nBatch = hparams.causal ? Math.min(nCtxAsked, nBatchWanted) : nBatchWanted;
  const nUbatch = Math.min(nBatch, nUbatchWanted);
  const nCtxPadded = pad(nCtxAsked, CONTEXT_STEP);
  const nCtxSeq = kvUnified ? nCtxPadded : pad(Math.floor(nCtxPadded / nSeqMax), CONTEXT_STEP);

  const typeK = cacheType(launch.cacheTypeK);
  const typeV = cacheType(launch.cacheTypeV);
  const flags = contextFlags(role.target !== null, launch);
  const flash = flashAttention(launch, typeV, architecture, flags.v);
  const llama = llamaCpp(launch.llamaCpp).switches;
  refuseUnsupported(hparams, architecture, { typeK, typeV, flashAttn: flash !== 'off', llama, flags });

  const outputsMax = (): number => {
    if (hparams.encoder !== 'none' || !llama.logitsOfSlots) return nBatch;
    return embeddings ? nBatchWanted : Math.max(1, Math.min(nBatchWanted, nSeqMax * role.outputsPerSlot));
  };
  const nOutputsMax = outputsMax();
  if (llama.logitsOfSlots) refuseSmallBatch(nOutputsMax, nSeqMax, embeddings);
  const statesKept = ROLLS_BACK.has(architecture) ? role.statesKept : 0;
  refuseSmallUbatch(architecture, nUbatch, statesKept, flags.ubatch);
  return {
    nCtx: kvUnified ? nCtxPadded : nCtxSeq * nSeqMax,
    nCtxSeq,
    nSeqMax,
    kvUnified,
    nBatch,
    nUbatch,
    nOutputsMax,
    flashAttn: flash !== 'off',
    autoFlashAttn: flash === 'auto',
    typeK,
    typeV,
    offloadKqv: launch.kvOffload ?? true,
    opOffload: launch.opOffload ?? true,
    swaFull: launch.swaFull ?? false,
    // A draft's context has none: `common_base_params_to_speculative`.
    expertCacheBytes: role.predictsAhead ? 0 : (launch.expertCacheMiB ?? 0) * 2 ** 20,
    embeddings,
    pooling: launch.mode === 'rerank' ? POOLING_RANK : Math.max(POOLING_NONE, hparams.pooling),
    llama,
    role: { ...role, statesKept },
  };
}

function cacheType(name: CacheType = SERVER_DEFAULTS.cacheType): GgmlType {
  const type = ggmlTypeByName(name);
  if (!type)
    throw new UsageError(
      'LAUNCH_CACHE_TYPE',
      `llama-server has no cache type ${JSON.stringify(name)}; use one it lists, such as f16 or q8_0.`,
    );
  return type;
}

/** `llama_init_from_model` turns flash attention off for these, whatever was asked for. */
const WITHOUT_FLASH_ATTN: ReadonlySet<string> = new Set(['grok']);

/** `llama_init_from_model`: a quantized V cache turns automatic flash attention on for good. */
function flashAttention(
  { flashAttn: asked = 'auto' }: LaunchOptions,
  typeV: GgmlType,
  architecture: string,
  flagV: string,
): 'auto' | 'on' | 'off' {
  const flashAttn = WITHOUT_FLASH_ATTN.has(architecture) ? 'off' : asked;
  if (!isQuantized(typeV)) return flashAttn;
  if (flashAttn === 'off') {
    throw new UsageError(
      'LAUNCH_QUANTIZED_V_NEEDS_FLASH_ATTN',
      `llama.cpp refuses a ${typeV.name.toLowerCase()} V cache without flash attention; leave flash attention on, or use ${flagV} f16.`,
    );
  }
  return 'on';
}
