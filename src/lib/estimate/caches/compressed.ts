import type { Hparams } from '../../model/hparams.js';
import type { ContextParams } from '../context/context-params.js';
import { F32, pad } from '../ggml/tensor.js';
import { buildKvCache, CELL_PADDING, type KvCache, swaCells } from './kv-cache.js';
import type { BufferSpace, CacheTensor } from './space.js';

/** Tokens that one compressed key stands for: `DSV4_CSA_RATIO` (whose blocks overlap) and `DSV4_HCA_RATIO`. */
const OVERLAPPING_RATIO = 4;
const BLOCK_RATIO = 128;

/** What the next compressed keys are made of, for each layer: `llama_dsv4_comp_state`. */
export interface CompressorState {
  /** Rows of all sequences; each earlier state that is kept takes as many again. */
  readonly rows: number;
  readonly kept: number;
  readonly layers: ReadonlyMap<number, { readonly keys: CacheTensor; readonly scores: CacheTensor }>;
}

/** Compressed keys, and what the next are made of. */
export interface CompressedCache {
  readonly ratio: number;
  /** Each block is made of the one before, too. */
  readonly overlaps: boolean;
  readonly keys: KvCache;
  readonly state: CompressorState;
}

export interface CompressedCaches {
  /** Of `OVERLAPPING_RATIO` and of `BLOCK_RATIO` tokens each. */
  readonly overlapping: CompressedCache;
  readonly blocks: CompressedCache;
  /** By which a token chooses among the overlapping ones. */
  readonly indexer: CompressedCache;
}

/**
 * `llama_kv_cache_dsv4` (`src/llama-kv-cache-dsv4.cpp`, llama.cpp v0.5.0): windows, compressed keys and their states, all with a
 * stream for each sequence even where the KV cache is to be unified. `ratios`: tokens a compressed key of each layer, 0 = none.
 */
export function buildCompressedCaches(
  model: Hparams,
  asked: ContextParams,
  ratios: readonly number[],
  space: BufferSpace,
): { readonly raw: KvCache; readonly compressed: CompressedCaches } {
  const params: ContextParams = { ...asked, kvUnified: false };
  const { headSize } = model.indexer;
  // Nothing but keys: `dsv4_make_k_only`.
  const hparams: Hparams = { ...model, headKMla: model.headK, headVMla: model.headK };
  const ofIndexer: Hparams = {
    ...hparams,
    nHeadKv: hparams.nHeadKv.map(() => 1),
    headK: headSize,
    headV: headSize,
    headKSwa: headSize,
    headVSwa: headSize,
  };
  const build = (of: Hparams, ratio: number): CompressedCache => {
    const owns = (layer: number): boolean => ratios[layer] === ratio;
    const cells = pad(Math.max(1, Math.ceil(params.nCtxSeq / ratio)), CELL_PADDING);
    const keys = buildKvCache(of, params, cells, owns, space.fresh(), of.headK === headSize);
    const overlaps = ratio === OVERLAPPING_RATIO;
    return { ratio, overlaps, keys, state: buildState(of, params, ratio, overlaps, owns, space.fresh()) };
  };
  return {
    raw: buildKvCache(hparams, params, swaCells(hparams, params), () => true, space.fresh()),
    compressed: {
      overlapping: build(hparams, OVERLAPPING_RATIO),
      blocks: build(hparams, BLOCK_RATIO),
      indexer: build(ofIndexer, OVERLAPPING_RATIO),
    },
  };
}

function buildState(
  { headK, nLayer }: Hparams,
  { nSeqMax, role }: ContextParams,
  ratio: number,
  overlaps: boolean,
  owns: (layer: number) => boolean,
  space: BufferSpace,
): CompressorState {
  const parts = overlaps ? 2 : 1;
  const layers = new Map<number, { keys: CacheTensor; scores: CacheTensor }>();
  for (let layer = 0; layer < nLayer; layer++) {
    if (!owns(layer)) continue;
    const place = (): CacheTensor =>
      space.place(layer, F32, [parts * headK, parts * ratio, nSeqMax * (1 + role.statesKept), 1]);
    layers.set(layer, { keys: place(), scores: place() });
  }
  return { rows: parts * ratio * nSeqMax, kept: role.statesKept, layers };
}
