import type { Hparams } from './hparams.js';
import type { Keys } from './keys.js';

/** attention: KV cache; recurrent: state only; hybrid: both; none: encoders. */
export type MemoryKind = 'attention' | 'recurrent' | 'hybrid' | 'none';

/** What llama.cpp fixes in code for an architecture: `load_arch_hparams` in `src/models/*.cpp`, v0.5.0. */
export interface ArchitectureRule {
  readonly memory: MemoryKind;
  readonly adjust?: Adjustment;
  /** Which layers own keys and values, where it is not all but those that predict ahead. */
  readonly caches?: LayerFilter;
  /** Which layers own a key of the indexer. */
  readonly indexer?: LayerFilter;
  /** Its keys are rotated whatever the type of the cache: the constructor of `llama_kv_cache` (`src/llama-kv-cache.cpp`). */
  readonly rotatesIndexer?: boolean;
  /** Its cache has no values, although the layers' own has: `llama_memory_hybrid_idx`. */
  readonly indexesKeysOnly?: boolean;
  /** The shape that a tensor is loaded with, whatever its shape in the file: `TENSOR_ALLOW_RESHAPE`. */
  readonly loadedDims?: (name: string, hparams: Hparams, keys: Keys) => readonly number[] | undefined;
  /** Tokens that one compressed key of a layer stands for, 0 = it has none: `llama_kv_cache_dsv4`. */
  readonly compressRatios?: (keys: Keys) => readonly number[];
  /** Which layers own a KV cache or a recurrent state in a hybrid, where it is not "one or the other". */
  readonly hybrid?: { readonly attention: LayerFilter; readonly recurrent: LayerFilter };
}

/** @param tensors those of the file by name: some loaders look whether one is there */
type Adjustment = (hparams: Hparams, keys: Keys, tensors: ReadonlyMap<string, unknown>) => void;

type LayerFilter = (hparams: Hparams, layer: number) => boolean;

/** `llama_hparams::set_swa_pattern`, or the header's own pattern: `load_swa_pattern` in `src/llama-model.cpp`. */
export function slideEvery(hparams: Hparams, keys: Keys, pattern: number, denseFirst = false): void {
  const given = keys.flags('attention.sliding_window_pattern', hparams.nLayerAll);
  if (given) {
    hparams.isSwa = given;
    return;
  }
  const period = keys.number('attention.sliding_window_pattern', pattern);
  hparams.isSwa = hparams.isSwa.map(
    (_, layer) =>
      layer < hparams.nLayer && (period === 0 || (denseFirst ? layer % period !== 0 : layer % period < period - 1)),
  );
}

export function slidingWindow(pattern: number, fallback = 0) {
  return (hparams: Hparams, keys: Keys): void => {
    hparams.swa = 'standard';
    hparams.nSwa = keys.number('attention.sliding_window', fallback);
    slideEvery(hparams, keys, pattern);
  };
}

/** Windows only where the header has the key. */
export function optionalWindow(pattern: number) {
  return (hparams: Hparams, keys: Keys): void => {
    if (keys.number('attention.sliding_window', 0) > 0) slidingWindow(pattern)(hparams, keys);
  };
}

export function recurrentWhere(test: LayerFilter) {
  return (hparams: Hparams): void => {
    hparams.isRecurrent = hparams.isRecurrent.map((_, layer) => layer < hparams.nLayer && test(hparams, layer));
  };
}

export const withoutKvHeads = recurrentWhere(({ nHeadKv }, layer) => nHeadKv[layer] === 0);

/** Four positions a token. */
export function multiSectionRope(hparams: Hparams): void {
  hparams.nPosPerEmbd = 4;
}

/** One rule after the other. */
export function all(...rules: Adjustment[]): Adjustment {
  return (hparams, keys, tensors) => {
    for (const rule of rules) rule(hparams, keys, tensors);
  };
}

/** Layers of linear attention, every `interval`th a full one unless the header says otherwise. */
export function linearAttention(everyFull: number) {
  return (hparams: Hparams, keys: Keys): void => {
    const given = keys.flagEach('attention.recurrent_layers', hparams.nLayerAll);
    const interval = keys.number('full_attention_interval', everyFull);
    hparams.isRecurrent =
      given ?? hparams.isRecurrent.map((_, layer) => layer < hparams.nLayer && (layer + 1) % interval !== 0);
  };
}

export const mainLayersOnly: NonNullable<ArchitectureRule['hybrid']> = {
  attention: ({ nLayer, isRecurrent }, layer) => layer < nLayer && !isRecurrent[layer],
  recurrent: ({ nLayer, isRecurrent }, layer) => layer < nLayer && isRecurrent[layer] === true,
};

/** The numbers of a lightning indexer, which every layer has unless a rule says otherwise. */
export function lightningIndexer(hparams: Hparams, keys: Keys): void {
  hparams.indexer = {
    heads: keys.number('attention.indexer.head_count', 0),
    headSize: keys.number('attention.indexer.key_length', 0),
    topK: keys.number('attention.indexer.top_k', 0),
    full: hparams.isSwa.map(() => true),
  };
}
