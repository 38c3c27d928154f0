import { type GgmlType, ggmlTypeByName } from '../gguf/ggml-types.js';
import { CheckIncompleteError, UsageError } from '../errors.js';
import type { ModelShape } from '../model/model-shape.js';
import type { CacheType, LaunchOptions } from '../runtime/launch-options.js';
import { llamaCpp, type Switches } from '../runtime/llama-cpp.js';
import { pad } from './ggml/tensor.js';

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
  readonly embeddings: boolean;
  readonly pooling: number;
  /** What the llama.cpp that will run has of the changes between versions. */
  readonly llama: Switches;
}

/** llama-server's own defaults: `common/common.h`, `tools/server/server.cpp` (v0.5.0). */
const DEFAULTS = { nBatch: 2048, nUbatch: 512, autoSlots: 4, cacheType: 'f16' as CacheType };
/** `LLAMA_MAX_SEQ` (`src/llama-cparams.h`). */
const MAX_SLOTS = 256;
const CONTEXT_PADDING = 256;
const POOLING_NONE = 0;
const POOLING_RANK = 4;

/**
 * What llama-server and the constructor of `llama_context` (`src/llama-context.cpp`) make of launch options.
 * @throws UsageError for combinations that llama.cpp refuses.
 */
export function resolveContext({ hparams, architecture }: ModelShape, launch: LaunchOptions): ContextParams {
  const embeddings = launch.mode === 'embedding' || launch.mode === 'rerank';
  refuseImpossible(launch, embeddings);
  let nBatchWanted = launch.batchSize ?? DEFAULTS.nBatch;
  const nUbatchWanted = launch.ubatchSize === 0 ? nBatchWanted : (launch.ubatchSize ?? DEFAULTS.nUbatch);
  if (embeddings) nBatchWanted = Math.min(nBatchWanted, nUbatchWanted);

  const autoSlots = launch.parallel === undefined || launch.parallel < 0;
  const nSeqMax = autoSlots ? DEFAULTS.autoSlots : Math.max(1, launch.parallel ?? 1);
  if (nSeqMax > MAX_SLOTS) {
    throw new UsageError(
      'LAUNCH_TOO_MANY_SLOTS',
      `llama-server runs at most ${MAX_SLOTS} slots; --parallel ${nSeqMax} is more, lower it.`,
    );
  }
  const kvUnified = autoSlots || launch.kvUnified === true;

  const nCtxAsked = launch.ctxSize || hparams.nCtxTrain;
  const nBatch = hparams.causal ? Math.min(nCtxAsked, nBatchWanted) : nBatchWanted;
  const nUbatch = Math.min(nBatch, nUbatchWanted);
  const nCtxPadded = pad(nCtxAsked, CONTEXT_PADDING);
  const nCtxSeq = kvUnified ? nCtxPadded : pad(Math.floor(nCtxPadded / nSeqMax), CONTEXT_PADDING);

  const typeK = cacheType(launch.cacheTypeK);
  const typeV = cacheType(launch.cacheTypeV);
  const flash = flashAttention(launch, typeV, architecture);
  const llama = llamaCpp(launch.llamaCpp).switches;
  refuseUnsupported(hparams, architecture, { typeK, typeV, flashAttn: flash !== 'off', llama });

  const outputsMax = (): number => {
    if (hparams.encoder !== 'none') return nBatch;
    return embeddings ? nBatchWanted : Math.max(1, Math.min(nBatchWanted, nSeqMax));
  };
  return {
    nCtx: kvUnified ? nCtxPadded : nCtxSeq * nSeqMax,
    nCtxSeq,
    nSeqMax,
    kvUnified,
    nBatch,
    nUbatch,
    nOutputsMax: outputsMax(),
    flashAttn: flash !== 'off',
    autoFlashAttn: flash === 'auto',
    typeK,
    typeV,
    offloadKqv: launch.kvOffload ?? true,
    opOffload: launch.opOffload ?? true,
    swaFull: launch.swaFull ?? false,
    embeddings,
    pooling: launch.mode === 'rerank' ? POOLING_RANK : Math.max(POOLING_NONE, hparams.pooling),
    llama,
  };
}

/** What `common_params` keeps in 32 bits with a sign and llama.cpp takes for a count. */
function refuseImpossible({ ctxSize = 0, batchSize = 1, ubatchSize = 1 }: LaunchOptions, embeddings: boolean): void {
  const counts = [
    ['--ctx-size', ctxSize, 0],
    ['--batch-size', batchSize, 1],
    ['--ubatch-size', ubatchSize, embeddings ? 1 : 0],
  ] as const;
  for (const [flag, value, least] of counts) {
    if (Number.isSafeInteger(value) && value >= least && value < 2 ** 31) continue;
    throw new UsageError(
      'LAUNCH_OUT_OF_RANGE',
      `llama-server cannot run with ${flag} ${value}; give it a whole number from ${least} to ${2 ** 31 - 1}.`,
    );
  }
}

function cacheType(name: CacheType = DEFAULTS.cacheType): GgmlType {
  const type = ggmlTypeByName(name);
  if (!type)
    throw new UsageError(
      'LAUNCH_CACHE_TYPE',
      `llama-server has no cache type ${JSON.stringify(name)}; use one it lists, such as f16 or q8_0.`,
    );
  return type;
}

function isQuantized(type: GgmlType): boolean {
  return type.elementsPerBlock > 1;
}

/** `llama_init_from_model` turns flash attention off for these, whatever was asked for. */
const WITHOUT_FLASH_ATTN: ReadonlySet<string> = new Set(['grok']);

/** `llama_init_from_model`: a quantized V cache turns automatic flash attention on for good. */
function flashAttention(
  { flashAttn: asked = 'auto' }: LaunchOptions,
  typeV: GgmlType,
  architecture: string,
): 'auto' | 'on' | 'off' {
  const flashAttn = WITHOUT_FLASH_ATTN.has(architecture) ? 'off' : asked;
  if (!isQuantized(typeV)) return flashAttn;
  if (flashAttn === 'off') {
    throw new UsageError(
      'LAUNCH_QUANTIZED_V_NEEDS_FLASH_ATTN',
      `llama.cpp refuses a ${typeV.name.toLowerCase()} V cache without flash attention; drop --no-flash-attn or use --cache-type-v f16.`,
    );
  }
  return 'on';
}

function refuseUnsupported(
  { headKMla, headK, headV, headKSwa, headVSwa, isSwa, nLayer }: ModelShape['hparams'],
  architecture: string,
  { typeK, typeV, flashAttn, llama }: { typeK: GgmlType; typeV: GgmlType; flashAttn: boolean; llama: Switches },
): void {
  if (llama.equalLatentTypes && headKMla > 0 && typeK !== typeV) {
    throw new UsageError(
      'LAUNCH_CACHE_TYPES_DIFFER',
      `llama.cpp refuses different K and V cache types (${typeK.name.toLowerCase()}, ${typeV.name.toLowerCase()}) for the latent attention of ${architecture}; give both the same type.`,
    );
  }
  if (!flashAttn) return;
  for (let layer = 0; layer < nLayer; layer++) {
    const sizes: [string, GgmlType, number][] = [
      ['--cache-type-k', typeK, isSwa[layer] ? headKSwa : headK],
      ['--cache-type-v', typeV, isSwa[layer] ? headVSwa : headV],
    ];
    for (const [flag, type, headSize] of sizes) {
      if (headSize % type.elementsPerBlock === 0) continue;
      throw new UsageError(
        'LAUNCH_CACHE_TYPE_BLOCK',
        `llama.cpp refuses ${flag} ${type.name.toLowerCase()} for this model: blocks of ${type.elementsPerBlock} do not divide its head size of ${headSize}; use f16.`,
      );
    }
  }
}

/** Thrown where llama.cpp itself would abort. */
export function refused(reason: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'LAUNCH_REFUSED_BY_LLAMA_CPP',
    `llama.cpp cannot run this launch: ${reason}; change the cache types or turn KV offload off.`,
  );
}
