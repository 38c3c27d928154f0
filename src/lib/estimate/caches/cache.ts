import { CheckIncompleteError } from '../../errors.js';
import type { ArchitectureRule, MemoryKind } from '../../model/architecture-rule.js';
import { ARCHITECTURE_RULES } from '../../model/architectures.js';
import { convStateSize, type Hparams, ssmStateSize } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import { buildCompressedCaches, type CompressedCaches } from './compressed.js';
import { createExpertCache, type ExpertCache } from './expert-cache.js';
import { buildKvCache, CELL_PADDING, type KvCache, swaCells } from './kv-cache.js';
import { BufferSpace, type CacheTensor } from './space.js';
import type { ContextParams, TargetContext } from '../context/context-params.js';
import type { DeviceBytes } from '../ggml/device.js';
import { F32, pad } from '../ggml/tensor.js';
import type { Placement } from '../weights/placement.js';

/** `llama_memory_recurrent` (`src/llama-memory-recurrent.cpp`): one row a sequence, and as many again for each earlier state kept. */
export interface RecurrentCache {
  readonly rows: number;
  readonly layers: ReadonlyMap<number, RecurrentLayer>;
}

interface RecurrentLayer {
  readonly conv: CacheTensor;
  readonly state: CacheTensor;
  /** Of a layer that looks up n-grams: `get_p_l`. */
  readonly ngrams?: CacheTensor;
}

export interface ContextMemory {
  readonly base: KvCache | null;
  /** Layers with a sliding window have a cache of their own. */
  readonly swa: KvCache | null;
  readonly recurrent: RecurrentCache | null;
  /** Keys by which layers choose what they attend to. */
  readonly indexer: KvCache | null;
  /** Keys of many tokens each, and what the next of them are made of. */
  readonly compressed: CompressedCaches | null;
  /** Experts of the host that are kept on the GPU, too. */
  readonly experts: ExpertCache | null;
  readonly kvBytes: DeviceBytes;
  readonly recurrentBytes: DeviceBytes;
}

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
  const ownsKv = kvFilter(hparams, kind, params, rule.hybrid?.attention ?? rule.caches);
  const ownsState = rule.hybrid?.recurrent ?? ((h: Hparams, layer: number) => h.isRecurrent[layer] === true);

  if (params.role.target && SHARES_TARGETS_CACHE.has(architecture)) return sharedMemory(hparams, params.role.target);
  const experts = createExpertCache(shape, params, placement);
  if (rule.compressRatios && !params.role.predictsAhead) {
    const { raw, compressed } = buildCompressedCaches(hparams, params, rule.compressRatios(shape.keys), kvSpace);
    return {
      base: null,
      swa: raw,
      recurrent: null,
      indexer: null,
      compressed,
      experts,
      kvBytes: kvSpace.total,
      recurrentBytes: recurrentSpace.total,
    };
  }
  const build = (cells: number, filter: (layer: number) => boolean): KvCache =>
    buildKvCache(hparams, params, cells, filter, kvSpace.fresh());
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
      ? buildIndexer(shape, params, rule, rule.indexer, kvSpace.fresh())
      : null;
  return {
    base,
    swa,
    recurrent,
    indexer,
    compressed: null,
    experts,
    kvBytes: kvSpace.total,
    recurrentBytes: recurrentSpace.total,
  };
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
  return {
    ...shared,
    recurrent: null,
    indexer: null,
    compressed: null,
    experts: null,
    kvBytes: NOTHING,
    recurrentBytes: NOTHING,
  };
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

/** The second cache of `llama_kv_cache_dsa` (`src/llama-kv-cache-dsa.cpp`): one key head of its own size. */
function buildIndexer(
  { hparams, keys }: ModelShape,
  params: ContextParams,
  { indexesKeysOnly, rotatesIndexer }: ArchitectureRule,
  owns: (hparams: Hparams, layer: number) => boolean,
  space: BufferSpace,
): KvCache {
  const { headSize } = hparams.indexer;
  const nHeadKv = hparams.nHeadKv.map(() => 1);
  const pools = keys.perLayer('attention.compress_ratios', hparams.nLayerAll, 0).some((ratio) => ratio > 0);
  const keepsPools = indexesKeysOnly === true && params.llama.keepsPooledKeys && pools;
  return buildKvCache(
    {
      ...hparams,
      nHeadKv,
      headK: headSize * (keepsPools ? 2 : 1),
      headKMla: indexesKeysOnly ? headSize : hparams.headKMla,
    },
    params,
    params.nCtxSeq,
    (layer) => owns(hparams, layer),
    space,
    rotatesIndexer,
  );
}

function buildRecurrentCache(
  hparams: Hparams,
  { nSeqMax, role }: ContextParams,
  filter: (layer: number) => boolean,
  space: BufferSpace,
): RecurrentCache {
  const rows = Math.max(1, nSeqMax);
  const kept = rows * (1 + role.statesKept);
  const layers = new Map<number, RecurrentLayer>();
  for (let layer = 0; layer < hparams.nLayer; layer++) {
    if (!filter(layer)) continue;
    const ngrams = hparams.ngramState[layer] ?? 0;
    layers.set(layer, {
      conv: space.place(layer, F32, [convStateSize(hparams), kept, 1, 1]),
      state: space.place(layer, F32, [ssmStateSize(hparams), kept, 1, 1]),
      ...(ngrams > 0 ? { ngrams: space.place(layer, F32, [ngrams, kept, 1, 1]) } : {}),
    });
  }
  return { rows, layers };
}

/**
 * The same caches as a batch of one sequence, or of all, reads them with so many cells filled; those of compressed keys stay as
 * they are.
 */
export function filledTo(memory: ContextMemory, cells: number, nSeqs: number): ContextMemory {
  const { base, swa, indexer } = memory;
  const filled = (cache: KvCache | null): KvCache | null =>
    cache && {
      ...cache,
      readStreams: nSeqs === 1 ? 1 : cache.streams,
      read: Math.min(cache.cells, pad(cells, CELL_PADDING)),
    };
  return { ...memory, base: filled(base), swa: filled(swa), indexer: filled(indexer) };
}
