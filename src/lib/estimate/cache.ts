import { CheckIncompleteError } from '../errors.js';
import type { GgmlType } from '../gguf/ggml-types.js';
import type { MemoryKind } from '../model/architecture-rule.js';
import { ARCHITECTURE_RULES } from '../model/architectures.js';
import {
  convStateSize,
  headKOf,
  headVOf,
  type Hparams,
  kWidth,
  maxVWidth,
  ssmStateSize,
  vWidth,
} from '../model/hparams.js';
import type { ModelShape } from '../model/model-shape.js';
import type { ContextParams, TargetContext } from './context.js';
import { type Device, type DeviceBytes, DeviceTally } from './ggml/device.js';
import { type Buffer, contiguousStrides, F32, type Four, pad, Tensor } from './ggml/tensor.js';
import type { Placement } from './placement.js';

/** A tensor that lives as long as the context. */
export interface CacheTensor {
  readonly type: GgmlType;
  readonly ne: Four;
  readonly buffer: Buffer;
  /** Within the buffer, bytes. */
  readonly address: number;
}

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
  readonly streams: number;
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

/** `llama_memory_recurrent` (`src/llama-memory-recurrent.cpp`): one row a sequence, and as many again for each earlier state kept. */
export interface RecurrentCache {
  readonly rows: number;
  readonly layers: ReadonlyMap<number, { readonly conv: CacheTensor; readonly state: CacheTensor }>;
}

export interface ContextMemory {
  readonly base: KvCache | null;
  /** Layers with a sliding window have a cache of their own. */
  readonly swa: KvCache | null;
  readonly recurrent: RecurrentCache | null;
  /** Keys by which layers choose what they attend to. */
  readonly indexer: KvCache | null;
  readonly kvBytes: DeviceBytes;
  readonly recurrentBytes: DeviceBytes;
}

const CELL_PADDING = 256;
/** Smallest Hadamard matrix; `llama_kv_cache::build_input_k_rot`. */
const MIN_ROTATION = 64;

/**
 * `llama_model::create_memory` (`src/llama-model.cpp`, llama.cpp v0.5.0).
 * @throws CheckIncompleteError for an architecture of which it is not known what llama.cpp caches
 */
export function createMemory(shape: ModelShape, params: ContextParams, placement: Placement): ContextMemory {
  const { hparams, architecture } = shape;
  const rule = ARCHITECTURE_RULES[architecture];
  if (!rule) throw cacheUnknown(architecture);
  const kind: MemoryKind = rule.memory;
  const kvSpace = new BufferSpace(params, placement);
  const recurrentSpace = new BufferSpace(params, placement);
  const hasKv = kind === 'attention' || kind === 'hybrid';
  const ownsKv = kvFilter(hparams, kind, params, rule.hybrid?.attention);
  const ownsState = rule.hybrid?.recurrent ?? ((h: Hparams, layer: number) => h.isRecurrent[layer] === true);

  const build = (cells: number, filter: (layer: number) => boolean): KvCache =>
    buildKvCache(hparams, params, cells, filter, kvSpace.fresh());
  if (params.role.target && SHARES_TARGETS_CACHE.has(architecture)) return sharedMemory(hparams, params.role.target);
  const windowed = hasKv && hparams.swa !== 'none';
  const base = hasKv ? build(params.nCtxSeq, (layer) => ownsKv(layer) && !(windowed && hparams.isSwa[layer])) : null;
  const swa = windowed
    ? build(swaCells(hparams, params), (layer) => ownsKv(layer) && hparams.isSwa[layer] === true)
    : null;
  const recurrent =
    !params.role.predictsAhead && (kind === 'recurrent' || kind === 'hybrid')
      ? buildRecurrentCache(hparams, params, (layer) => ownsState(hparams, layer), recurrentSpace)
      : null;
  const { indexer: owned } = hparams;
  const indexer =
    owned.headSize > 0 && rule.indexer && !params.role.predictsAhead
      ? buildIndexer(hparams, params, rule.indexer, kvSpace.fresh())
      : null;
  return { base, swa, recurrent, indexer, kvBytes: kvSpace.total, recurrentBytes: recurrentSpace.total };
}

function cacheUnknown(architecture: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_CACHE_UNKNOWN',
    `llama.cpp knows the architecture ${JSON.stringify(architecture)}, but what it caches for it is not described here, so the memory of a launch cannot be worked out; use a newer llmkube, or measure one launch with llama-server.`,
  );
}

/** Drafts that read what the model has cached and cache nothing themselves. */
const SHARES_TARGETS_CACHE: ReadonlySet<string> = new Set(['gemma4-assistant']);
const NOTHING: DeviceBytes = { gpus: [], cpu: 0 };

/** `layer_share_cb` of `create_memory`: the target's last layer, and its last with a window, stand for all of the draft's. */
function sharedMemory({ nLayerAll, isSwa }: Hparams, { shape, memory }: TargetContext): ContextMemory {
  const last = shape.hparams.nLayer - 1;
  const share = (cache: KvCache | null, sliding: boolean): KvCache | null => {
    const owner = cache?.layers.get(sliding ? last - 1 : last);
    if (!cache || !owner) return null;
    const own = Array.from({ length: nLayerAll }, (_, layer) => layer).filter((layer) => isSwa[layer] === sliding);
    return { ...cache, layers: new Map(own.map((layer) => [layer, owner])) };
  };
  const shared = { base: share(memory.base, false), swa: share(memory.swa, true) };
  return { ...shared, recurrent: null, indexer: null, kvBytes: NOTHING, recurrentBytes: NOTHING };
}

function kvFilter(
  hparams: Hparams,
  kind: MemoryKind,
  { role }: ContextParams,
  attention?: (hparams: Hparams, layer: number) => boolean,
) {
  if (role.predictsAhead && hparams.nLayer > 0) return (layer: number): boolean => layer >= hparams.nLayer;
  if (attention) return (layer: number): boolean => attention(hparams, layer);
  if (kind === 'hybrid') return (layer: number): boolean => !hparams.isRecurrent[layer];
  return (layer: number): boolean => hparams.nLayerNextn === 0 || layer < hparams.nLayer;
}

/** `llama_kv_cache_iswa`: the window of each sequence and one batch. */
function swaCells({ nSwa }: Hparams, { nCtxSeq, kvUnified, nSeqMax, nUbatch, swaFull }: ContextParams): number {
  return swaFull ? nCtxSeq : pad(Math.min(nCtxSeq, nSwa * (kvUnified ? nSeqMax : 1) + nUbatch), CELL_PADDING);
}

function buildKvCache(
  hparams: Hparams,
  params: ContextParams,
  cells: number,
  filter: (layer: number) => boolean,
  space: BufferSpace,
): KvCache {
  const streams = params.kvUnified ? 1 : params.nSeqMax;
  const vTransposed = !params.flashAttn;
  const latent = hparams.headKMla > 0;
  const layers = new Map<number, KvLayer>();
  const headsK = new Set<number>();
  const headsV = new Set<number>();
  for (let layer = 0; layer < hparams.nLayerAll; layer++) {
    if (hparams.nLayerKvFromStart >= 0 && layer >= hparams.nLayerKvFromStart) continue;
    if (!filter(layer)) continue;
    headsK.add(headKOf(hparams, layer));
    if (!latent) headsV.add(headVOf(hparams, layer));
    const k = space.place(layer, params.typeK, [kWidth(hparams, layer), cells, streams, 1]);
    const widthV = vTransposed ? maxVWidth(hparams) : vWidth(hparams, layer);
    layers.set(layer, { k, v: latent ? null : space.place(layer, params.typeV, [widthV, cells, streams, 1]) });
  }
  const kSide = rotation(params.typeK, headsK, headKOf(hparams, 0), true);
  const vSide = rotation(params.typeV, headsV, headVOf(hparams, 0), false);
  const inCache = params.llama.rotationsInCache;
  if (inCache) addRotations(layers, kSide, vSide, space.fresh('weights'));
  shareLayers(hparams, filter, layers);
  return {
    cells,
    streams,
    vTransposed,
    layers,
    kRotation: inCache ? 0 : kSide,
    vRotation: inCache ? 0 : vSide,
  };
}

/** The second cache of `llama_kv_cache_dsa` (`src/llama-kv-cache-dsa.cpp`): one key head of its own size; always rotated. */
function buildIndexer(
  hparams: Hparams,
  params: ContextParams,
  owns: (hparams: Hparams, layer: number) => boolean,
  space: BufferSpace,
): KvCache {
  const { headSize } = hparams.indexer;
  const nHeadKv = hparams.nHeadKv.map(() => 1);
  const cache = buildKvCache(
    { ...hparams, nHeadKv, headK: headSize },
    params,
    params.nCtxSeq,
    (layer) => owns(hparams, layer),
    space,
  );
  return { ...cache, kRotation: largestRotation(headSize) };
}

/** `llama_kv_cache::init_rotation` (b12032): a matrix for each layer's K and V, in buffers of their own. */
function addRotations(layers: Map<number, KvLayer>, kSide: number, vSide: number, space: BufferSpace): void {
  for (const [layer, { k, v }] of layers) {
    const kRotation = kSide > 0 ? space.place(layer, F32, [kSide, kSide, 1, 1]) : null;
    const vRotation = vSide > 0 && v ? space.place(layer, F32, [vSide, vSide, 1, 1]) : null;
    layers.set(layer, { k, v, kRotation, vRotation });
  }
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

function largestRotation(head: number): number {
  let side = MIN_ROTATION;
  while (head % (side * 2) === 0) side *= 2;
  return side;
}

function buildRecurrentCache(
  hparams: Hparams,
  { nSeqMax, role }: ContextParams,
  filter: (layer: number) => boolean,
  space: BufferSpace,
): RecurrentCache {
  const rows = Math.max(1, nSeqMax);
  const kept = rows * (1 + role.statesKept);
  const layers = new Map<number, { conv: CacheTensor; state: CacheTensor }>();
  for (let layer = 0; layer < hparams.nLayer; layer++) {
    if (!filter(layer)) continue;
    layers.set(layer, {
      conv: space.place(layer, F32, [convStateSize(hparams), kept, 1, 1]),
      state: space.place(layer, F32, [ssmStateSize(hparams), kept, 1, 1]),
    });
  }
  return { rows, layers };
}

/** Tensors of one kind of memory one after another, a buffer for each device. */
class BufferSpace {
  private readonly sizes = new DeviceTally();
  private buffers = new Map<Device, Buffer>();
  private usage: Buffer['usage'] = 'cache';
  private used = new DeviceTally();

  constructor(
    private readonly params: ContextParams,
    private readonly placement: Placement,
  ) {}

  get total(): DeviceBytes {
    return this.sizes;
  }

  /** Later tensors go to new buffers; the total goes on. */
  fresh(usage: Buffer['usage'] = 'cache'): this {
    this.buffers = new Map();
    this.usage = usage;
    this.used = new DeviceTally();
    return this;
  }

  place(layer: number, type: GgmlType, ne: Four): CacheTensor {
    const device = this.params.offloadKqv ? this.placement.layerDevice(layer) : 'cpu';
    const { allocSize, alignment } = this.placement.backendOn(device);
    const bytes = pad(allocSize(new Tensor(type, ne, contiguousStrides(type, ne))), alignment);
    const address = this.used.on(device);
    this.used.add(device, bytes);
    this.sizes.add(device, bytes);
    return { type, ne, buffer: this.bufferOn(device), address };
  }

  private bufferOn(device: Device): Buffer {
    const known = this.buffers.get(device);
    if (known) return known;
    const buffer: Buffer = { device, usage: this.usage, repacked: false };
    this.buffers.set(device, buffer);
    return buffer;
  }
}
