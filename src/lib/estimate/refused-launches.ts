import type { GgmlType } from '../gguf/ggml-types.js';
import { CheckIncompleteError, UsageError } from '../errors.js';
import { ARCHITECTURE_RULES } from '../model/architectures.js';
import type { Hparams } from '../model/hparams.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import type { Switches } from '../runtime/llama-cpp.js';

/** Thrown where llama.cpp itself would abort. */
export function refused(reason: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'LAUNCH_REFUSED_BY_LLAMA_CPP',
    `llama.cpp cannot run this launch: ${reason}; change the cache types or turn KV offload off.`,
  );
}

/** What `common_params` keeps in 32 bits with a sign and llama.cpp takes for a count. */
export function refuseImpossible(
  { ctxSize = 0, batchSize = 1, ubatchSize = 1 }: LaunchOptions,
  embeddings: boolean,
): void {
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

/**
 * Where no context is named the header's counts, which the constructor of `llama_context` (`src/llama-context.cpp`, llama.cpp v0.5.0) refuses when it
 * is nothing, or nothing once it is padded in 32 bits.
 * @throws CheckIncompleteError
 */
export function refuseTrainedContext({ nCtxTrain }: Pick<Hparams, 'nCtxTrain'>, { ctxSize = 0 }: LaunchOptions): void {
  if (ctxSize !== 0 || (nCtxTrain >= 1 && nCtxTrain < 2 ** 31)) return;
  throw new CheckIncompleteError(
    'LAUNCH_REFUSED_BY_LLAMA_CPP',
    `the header says context_length ${nCtxTrain}, with which llama.cpp cannot run; give --ctx-size`,
  );
}

/** `llama_context::output_reserve` (`src/llama-context.cpp`, llama.cpp v0.5.0) aborts where not every slot may have an output. */
export function refuseSmallBatch(nOutputsMax: number, nSeqMax: number, embeddings: boolean): void {
  if (nOutputsMax >= nSeqMax) return;
  const flags = embeddings ? '--batch-size and --ubatch-size' : '--batch-size';
  throw new UsageError(
    'LAUNCH_BATCH_BELOW_SLOTS',
    `llama-server aborts where a batch holds fewer tokens (${nOutputsMax}) than there are slots (${nSeqMax}); raise ${flags} to ${nSeqMax} or give --parallel ${nOutputsMax}.`,
  );
}

/**
 * The last tokens of a sequence, whose states are kept to go back to, are never cut apart: `llama_batch_allocr::split_equal`
 * (`src/llama-batch.cpp`, llama.cpp v0.5.0) as hybrids and DeepSeek-V4 use it.
 */
export function refuseSmallUbatch(architecture: string, nUbatch: number, statesKept: number, flag: string): void {
  const rule = ARCHITECTURE_RULES[architecture];
  const keepsTails = rule?.memory === 'hybrid' || rule?.compressRatios !== undefined;
  const least = statesKept + 2;
  if (!keepsTails || statesKept === 0 || nUbatch >= least) return;
  throw new UsageError(
    'LAUNCH_UBATCH_BELOW_DRAFTS',
    `llama.cpp aborts on ${architecture} where ${statesKept} tokens are drafted and ${flag} is ${nUbatch}; raise it to ${least} or lower --spec-draft-n-max.`,
  );
}

/** Blocks of drafts of all slots are one batch without an order, which is never cut: `llama_context::decode` (`src/llama-context.cpp`). */
export function refuseCutBlocks(blockTokens: number, nSeqMax: number, nUbatch: number, flag: string): void {
  if (blockTokens * nSeqMax <= nUbatch) return;
  throw new UsageError(
    'LAUNCH_UBATCH_BELOW_DRAFTS',
    `llama-server aborts once ${nSeqMax} slots draft at the same time, each a block of ${blockTokens} tokens, and ${flag} is ${nUbatch}; raise it to ${blockTokens * nSeqMax} or lower --spec-draft-n-max or --parallel.`,
  );
}

/** Nor is a prompt of a draft whose tokens all see each other: the same function. */
export function refuseCutPrompts(batchTokens: number, nUbatch: number, flag: string): void {
  if (batchTokens <= nUbatch) return;
  throw new UsageError(
    'LAUNCH_UBATCH_BELOW_DRAFTS',
    `llama-server aborts on a prompt of more than ${nUbatch} tokens (${flag}), since the draft's header says attention.causal = false; raise it to ${batchTokens} or lower --batch-size.`,
  );
}

/** What a context's cache types and micro-batch are said with. */
interface ContextFlags {
  readonly k: string;
  readonly v: string;
  readonly ubatch: string;
}

export function contextFlags(isDraft: boolean, { draftUbatchSize = 0 }: LaunchOptions): ContextFlags {
  if (!isDraft) return { k: '--cache-type-k', v: '--cache-type-v', ubatch: '--ubatch-size' };
  const ubatch = draftUbatchSize > 0 ? '--spec-draft-n-ubatch' : '--ubatch-size';
  return { k: '--spec-draft-type-k', v: '--spec-draft-type-v', ubatch };
}

/**
 * `llama_context::sched_reserve` (`src/llama-context.cpp`, llama.cpp v0.5.0): some architectures' graphs are planned for a batch
 * of one sequence too (`TAG_RESERVE_DIAG_DECAY`), over the caches of all slots, each of which takes a whole share of its tokens.
 */
export function refuseUnevenShares(
  architecture: string,
  nTokens: number,
  { kvUnified, nSeqMax }: { kvUnified: boolean; nSeqMax: number },
): void {
  if (kvUnified || nTokens % nSeqMax === 0) return;
  throw new UsageError(
    'LAUNCH_UNEVEN_SHARES',
    `llama.cpp aborts on ${architecture} where ${nTokens} tokens (--ubatch-size) are not divisible by ${nSeqMax} slots (--parallel) with caches of their own; give --kv-unified, or a --ubatch-size that is.`,
  );
}

/** `llama_init_from_model` and the constructor of `llama_context` (`src/llama-context.cpp`, llama.cpp v0.5.0). */
export function refuseUnsupported(
  { headKMla, headK, headV, headKSwa, headVSwa, isSwa, nHeadKv, nLayer }: Hparams,
  architecture: string,
  {
    typeK,
    typeV,
    flashAttn,
    llama,
    flags,
  }: { typeK: GgmlType; typeV: GgmlType; flashAttn: boolean; llama: Switches; flags: ContextFlags },
): void {
  const keysOnly = headKMla > 0 || ARCHITECTURE_RULES[architecture]?.compressRatios !== undefined;
  if (llama.equalLatentTypes && keysOnly && typeK !== typeV) {
    throw new UsageError(
      'LAUNCH_CACHE_TYPES_DIFFER',
      `llama.cpp refuses different K and V cache types (${typeK.name.toLowerCase()}, ${typeV.name.toLowerCase()}) for the latent attention of ${architecture}; give ${flags.k} and ${flags.v} the same type.`,
    );
  }
  const caches = ARCHITECTURE_RULES[architecture]?.memory !== 'none';
  const seen = new Set<boolean>();
  for (let layer = 0; layer < nLayer; layer++) {
    if (!flashAttn) {
      if (!caches) return;
      refuseBrokenRows(flags.k, typeK, isSwa[layer] ? headKSwa : headK, nHeadKv[layer] as number);
      continue;
    }
    // Only two kinds of layers have rows of their own.
    const isWindowed = isSwa[layer] === true;
    if (seen.has(isWindowed)) continue;
    seen.add(isWindowed);
    const sizes: [string, GgmlType, number][] = [
      [flags.k, typeK, isSwa[layer] ? headKSwa : headK],
      [flags.v, typeV, isSwa[layer] ? headVSwa : headV],
    ];
    for (const [flag, type, headSize] of sizes) {
      if (headSize % type.elementsPerBlock !== 0) throw blocksDoNotDivide(flag, type, headSize);
    }
  }
}

/** Heads that do not fill their blocks may reach beyond the cache's row: `ggml_new_tensor_impl` (`ggml/src/ggml.c`) aborts. */
function refuseBrokenRows(flag: string, typeK: GgmlType, headSize: number, heads: number): void {
  const { elementsPerBlock, bytesPerBlock } = typeK;
  const heldBytes = heads * Math.floor((headSize * bytesPerBlock) / elementsPerBlock);
  const rowBytes = bytesPerBlock * Math.floor((heads * headSize) / elementsPerBlock);
  if (heldBytes > rowBytes) throw blocksDoNotDivide(flag, typeK, headSize);
}

function blocksDoNotDivide(flag: string, type: GgmlType, headSize: number): UsageError {
  return new UsageError(
    'LAUNCH_CACHE_TYPE_BLOCK',
    `llama.cpp refuses ${flag} ${type.name.toLowerCase()} for this model: blocks of ${type.elementsPerBlock} do not divide its head size of ${headSize}; use f16.`,
  );
}
