import type { GgmlType } from '../../gguf/ggml-types.js';
import { headKOf, headVOf, type Hparams, kWidth, maxVWidth, vWidth } from '../../model/hparams.js';
import type { ContextParams } from '../context/context-params.js';
import { F32, pad } from '../ggml/tensor.js';
import { refused } from '../refused-launches.js';
import type { BufferSpace, CacheTensor } from './space.js';

export interface KvLayer {
  readonly k: CacheTensor;
  readonly v: CacheTensor | null;
  /** Hadamard matrices beside the cache: from b11740..b12032 on. */
  readonly kRotation?: CacheTensor | null;
  readonly vRotation?: CacheTensor | null;
}

/** `llama_kv_cache` (`src/llama-kv-cache.cpp`, llama.cpp v0.5.0). */
export interface KvCache {
  readonly cells: number;
  /** Cells that a graph reads: those that are filled, in multiples of the padding. */
  readonly read: number;
  readonly streams: number;
  /** Streams that a graph reads: those of its sequences, which are all where memory is reserved. */
  readonly readStreams: number;
  /** Without flash attention V is stored transposed. */
  readonly vTransposed: boolean;
  readonly layers: ReadonlyMap<number, KvLayer>;
  /**
   * Side of the Hadamard matrix that K (V) rows are rotated with before quantization, an input of the graph; 0 = not rotated,
   * or with a matrix of each layer's own.
   */
  readonly kRotation: number;
  readonly vRotation: number;
}

/** Cells come in multiples of this. */
export const CELL_PADDING = 256;
/** Smallest Hadamard matrix; `llama_kv_cache::build_input_k_rot`. */
const MIN_ROTATION = 64;

/** `llama_kv_cache_iswa`: the window of each sequence and one batch, in 32 bits. */
export function swaCells({ nSwa }: Hparams, { nCtxSeq, kvUnified, nSeqMax, nUbatch, swaFull }: ContextParams): number {
  if (swaFull) return nCtxSeq;
  const wanted = (nSwa * (kvUnified ? nSeqMax : 1) + nUbatch) % 2 ** 32;
  return pad(Math.min(nCtxSeq, wanted), CELL_PADDING);
}

/** Of the layers that the filter lets pass; `alwaysRotated`: keys of an indexer, whatever their type. */
export function buildKvCache(
  hparams: Hparams,
  params: ContextParams,
  cells: number,
  filter: (layer: number) => boolean,
  space: BufferSpace,
  alwaysRotated = false,
): KvCache {
  const streams = params.kvUnified ? 1 : params.nSeqMax;
  const vTransposed = !params.flashAttn;
  const latent = hparams.headKMla > 0;
  const widest = vTransposed ? maxVWidth(hparams) : 0;
  const layers = new Map<number, KvLayer>();
  const owners = ownersOf(hparams, filter);
  const headsK = new Set<number>();
  const headsV = new Set<number>();
  for (const layer of owners) {
    headsK.add(headKOf(hparams, layer));
    if (!latent) headsV.add(headVOf(hparams, layer));
    const k = space.place(layer, params.typeK, [kWidth(hparams, layer), cells, streams, 1]);
    const widthV = vTransposed ? widest : vWidth(hparams, layer);
    layers.set(layer, { k, v: latent ? null : space.place(layer, params.typeV, [widthV, cells, streams, 1]) });
  }
  refuseEmptyBuffers(space);
  const [headK = 0] = headsK;
  const kSide = alwaysRotated ? largestRotation(headK) : rotation(params.typeK, headsK, headKOf(hparams, 0), true);
  const vSide = rotation(params.typeV, headsV, headVOf(hparams, 0), false);
  const inCache = params.llama.rotationsInCache;
  if (inCache && (kSide > 0 || vSide > 0)) addRotations(layers, owners, [kSide, vSide], space.fresh('weights'));
  shareLayers(hparams, filter, layers);
  return {
    cells,
    read: cells,
    streams,
    readStreams: streams,
    vTransposed,
    layers,
    kRotation: inCache ? 0 : kSide,
    vRotation: inCache ? 0 : vSide,
  };
}

/** `ggml_backend_alloc_ctx_tensors_from_buft` (`ggml/src/ggml-alloc.c`) makes no buffer of nothing, and the constructor gives up. */
function refuseEmptyBuffers({ empty }: BufferSpace): void {
  if (empty === undefined) return;
  const where = empty.device === 'cpu' ? 'the host' : `GPU ${empty.device}`;
  throw refused(`no layer on ${where} has anything to cache, and llama.cpp fails to allocate an empty cache`);
}

/** `llama_kv_cache::init_rotation` (b12032): a matrix for each layer's K and V, in buffers of their own. */
function addRotations(
  layers: Map<number, KvLayer>,
  owners: readonly number[],
  [kSide, vSide]: readonly [number, number],
  space: BufferSpace,
): void {
  for (const layer of owners) {
    const { k, v } = layers.get(layer) as KvLayer;
    const kRotation = kSide > 0 ? space.place(layer, F32, [kSide, kSide, 1, 1]) : null;
    const vRotation = vSide > 0 && v ? space.place(layer, F32, [vSide, vSide, 1, 1]) : null;
    layers.set(layer, { k, v, kRotation, vRotation });
  }
}

/** Layers with a cache of their own. */
function ownersOf({ nLayerAll, nLayerKvFromStart }: Hparams, filter: (layer: number) => boolean): readonly number[] {
  const end = nLayerKvFromStart >= 0 ? Math.min(nLayerKvFromStart, nLayerAll) : nLayerAll;
  const owners: number[] = [];
  for (let layer = 0; layer < end; layer++) if (filter(layer)) owners.push(layer);
  return owners;
}

/** The last layers of Gemma 3n and 4 read the cache of the last full (or sliding) layer that owns one. */
function shareLayers<T>(hparams: Hparams, filter: (layer: number) => boolean, layers: Map<number, T>): void {
  const { nLayerKvFromStart, nLayerAll, isSwa } = hparams;
  if (nLayerKvFromStart < 0) return;
  for (let layer = nLayerKvFromStart; layer < nLayerAll; layer++) {
    if (!filter(layer)) continue;
    const owner = layers.get(nLayerKvFromStart - (isSwa[layer] ? 2 : 1));
    if (owner) layers.set(layer, owner);
  }
}

function rotation(type: GgmlType, heads: ReadonlySet<number>, firstHead: number, largest: boolean): number {
  const [head] = heads;
  if (heads.size !== 1 || !head || type.elementsPerBlock === 1 || firstHead % MIN_ROTATION !== 0) return 0;
  return largest ? largestRotation(head) : MIN_ROTATION;
}

/** Side of the largest Hadamard matrix that rows of this size can be rotated with, piece by piece. */
function largestRotation(head: number): number {
  let side = MIN_ROTATION;
  while (head % (side * 2) === 0) side *= 2;
  return side;
}
