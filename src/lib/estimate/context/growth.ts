import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { ContextMemory } from '../caches/cache.js';
import type { CompressedCache, CompressedCaches } from '../caches/compressed.js';
import type { KvCache } from '../caches/kv-cache.js';
import type { ContextParams } from './context-params.js';
import { allBytes } from '../ggml/device.js';
import { tensorBytesOf } from '../ggml/tensor.js';
import type { GrowthPart } from '../memory-estimate.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

const MIB = 2 ** 20;
const HOST = { of: 'model', device: 'host' } as const;
/** `common_params::checkpoint_min_step`: tokens between checkpoints that stay. */
const CHECKPOINT_SPACING = { sparse: 8192, dense: 256 };

/**
 * What llama-server takes over time on the host (`tools/server/server-context.cpp`, v0.5.0): prompts of finished requests,
 * and states to go back to where a sliding window or a recurrent state has forgotten them.
 */
export function growthParts(
  memory: ContextMemory,
  params: ContextParams,
  nSwa: number,
  launch: LaunchOptions,
): GrowthPart[] {
  if (params.embeddings) return [];
  const parts: GrowthPart[] = [];
  const cacheRamMiB = launch.cacheRamMiB ?? SERVER_DEFAULTS.cacheRamMiB;
  if (cacheRamMiB !== 0) {
    parts.push({ ...HOST, name: 'prompt-cache', maxBytes: cacheRamMiB < 0 ? Infinity : cacheRamMiB * MIB });
  }
  const checkpoints = checkpointCount(params, launch) * checkpointBytes(memory, params, nSwa);
  if (checkpoints > 0) parts.push({ ...HOST, name: 'context-checkpoints', maxBytes: checkpoints });
  return parts;
}

/** Near the end of every prompt: `checkpoint_offsets` of `update_slots`. */
const AT_PROMPT_END = 2;

/** Each slot keeps those of its prompt's end, and one for each stretch of its context; with unified KV the slots share the context. */
function checkpointCount({ nCtx, nCtxSeq, nSeqMax, kvUnified, llama }: ContextParams, launch: LaunchOptions): number {
  const stretches = Math.floor(
    (kvUnified ? nCtx : nCtxSeq) / (llama.sparseCheckpoints ? CHECKPOINT_SPACING.sparse : CHECKPOINT_SPACING.dense),
  );
  const wanted = kvUnified ? nSeqMax * AT_PROMPT_END + stretches : nSeqMax * (AT_PROMPT_END + stretches);
  return Math.min(wanted, nSeqMax * (launch.ctxCheckpoints ?? SERVER_DEFAULTS.ctxCheckpoints));
}

/** One slot's share of what cannot be rolled back: the window alone, as a running server writes it, and the state. */
function checkpointBytes(
  { swa, recurrent, recurrentBytes, compressed }: ContextMemory,
  params: ContextParams,
  nSwa: number,
): number {
  const windowed = swa && !params.swaFull ? bytesPerCell(swa) * Math.min(swa.cells, nSwa) : 0;
  const state = recurrent ? allBytes(recurrentBytes) / recurrent.rows : 0;
  const compressing = compressed ? stateBytes(compressed) / params.nSeqMax : 0;
  return windowed + state + compressing;
}

/** What the next compressed keys of all sequences are made of. */
function stateBytes(compressed: CompressedCaches): number {
  let sum = 0;
  for (const { state } of Object.values(compressed) as CompressedCache[])
    for (const { keys, scores } of state.layers.values()) sum += tensorBytesOf(keys) + tensorBytesOf(scores);
  return sum;
}

function bytesPerCell({ layers, cells, streams }: KvCache): number {
  let sum = 0;
  for (const { k, v } of new Set(layers.values())) sum += tensorBytesOf(k) + (v ? tensorBytesOf(v) : 0);
  return sum / (cells * streams);
}
