import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import type { Placement } from '../weights/placement.js';

/** Repetitions of a run that are planned: of single layers, and of longer periods. More where fewer are not seen to repeat. */
const KEPT: readonly { readonly layers: number; readonly periods: number }[] = [
  { layers: 4, periods: 3 },
  { layers: 7, periods: 5 },
];
const LONGEST_PERIOD = 12;
/** Planning more than this share of the layers first, perhaps in vain, is not worth it. */
const WORTH_TRYING = 0.7;

const WEIGHTS_BY_LAYER = new WeakMap<Placement, readonly string[]>();

/** Layers that repeat each other, of which some are planned. */
export interface Run {
  /** The first one's place in `PlannedLayers.layers`. */
  readonly first: number;
  /** Layers in one repetition. */
  readonly period: number;
  readonly kept: number;
  readonly removed: number;
}

export interface PlannedLayers {
  readonly layers: readonly number[];
  readonly leftOut: ReadonlySet<number>;
  readonly runs: readonly Run[];
}

export function allLayers({ hparams }: ModelShape): PlannedLayers {
  return { layers: Array.from({ length: hparams.nLayer }, (_, layer) => layer), leftOut: new Set(), runs: [] };
}

/**
 * The layers that need planning, fewest first; where their steps are seen to repeat, they are enough. The last are all.
 */
export function representativeLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number = () => 0,
): readonly [PlannedLayers, ...PlannedLayers[]] {
  const { hparams } = shape;
  const byLayer = WEIGHTS_BY_LAYER.get(placement) ?? weightsByLayer(shape, placement);
  WEIGHTS_BY_LAYER.set(placement, byLayer);
  const { base, swa, recurrent, indexer, experts } = memory;
  const signatures = Array.from({ length: hparams.nLayer }, (_, layer) =>
    [
      kindOf(layer, shape),
      placement.layerDevice(layer),
      hparams.nHead[layer],
      hparams.nHeadKv[layer],
      hparams.nFf[layer],
      hparams.nExpertUsed[layer],
      hparams.isSwa[layer],
      hparams.isRecurrent[layer],
      recurrent?.layers.has(layer),
      indexer?.layers.has(layer),
      hparams.nLayerKvFromStart >= 0 && layer >= hparams.nLayerKvFromStart,
      base?.layers.get(layer)?.k.ne.join(),
      swa?.layers.get(layer)?.k.ne.join(),
      experts?.layers.get(hparams.blockOf[layer] ?? layer)?.group,
      byLayer[hparams.blockOf[layer] ?? layer],
    ].join(';'),
  );
  const all = allLayers(shape);
  const [first, ...others] = KEPT.map((kept) => shortened(signatures, kept));
  if (!first || first.runs.length === 0) return [all];
  return [first, ...others.filter(({ layers }) => layers.length <= WORTH_TRYING * hparams.nLayer), all];
}

/** Name, shape and place of each layer's weights; types only where weights may be copied to another device. */
function weightsByLayer(shape: ModelShape, placement: Placement): readonly string[] {
  const result: string[][] = Array.from({ length: shape.hparams.nLayer }, () => []);
  for (const tensor of shape.tensors.values()) {
    const [, blocks, number, name] = /^((?:enc\.|dec\.)?blk)\.(\d+)\.(.+)$/.exec(tensor.name) ?? [];
    const list = number === undefined ? undefined : result[Number(number)];
    if (!list) continue;
    const { device, repacked } = placement.bufferOf(tensor);
    const copied = placement.hasGpu && device === 'cpu';
    list.push(
      `${blocks}.${name}:${tensor.dims.join('x')}:${device}${copied ? `:${tensor.type.name}:${repacked}` : ''}`,
    );
  }
  return result.map((weights) => weights.join());
}

/** All runs cut to the repetitions that are planned: the first ones, and the last, which may end the model. */
function shortened(signatures: readonly string[], kept: (typeof KEPT)[number]): PlannedLayers {
  const layers: number[] = [];
  const leftOut = new Set<number>();
  const runs: Run[] = [];
  let next = 0;
  const upTo = (end: number): void => {
    while (next < end) layers.push(next++);
  };
  for (const { start, period, repetitions } of longestRuns(signatures, kept)) {
    upTo(start);
    const count = period === 1 ? kept.layers : kept.periods;
    runs.push({ first: layers.length, period, kept: count, removed: repetitions - count });
    upTo(start + (count - 1) * period);
    while (next < start + (repetitions - 1) * period) leftOut.add(next++);
    upTo(next + period);
  }
  upTo(signatures.length);
  return { layers, leftOut, runs };
}

interface Repeats {
  readonly start: number;
  readonly period: number;
  readonly repetitions: number;
}

/** Of the layers between two, first the run that saves most, then those on both sides of it. */
function longestRuns(
  signatures: readonly string[],
  kept: (typeof KEPT)[number],
  from = 0,
  to = signatures.length,
): Repeats[] {
  let best: Repeats | undefined;
  let bestSaved = 0;
  for (let period = 1; period <= Math.min(LONGEST_PERIOD, to - from); period++) {
    const needed = period === 1 ? kept.layers : kept.periods;
    let equal = 0;
    for (let start = to - period - 1; start >= from; start--) {
      equal = signatures[start] === signatures[start + period] ? equal + 1 : 0;
      const repetitions = Math.floor(equal / period) + 1;
      const saved = (repetitions - needed) * period;
      if (saved <= bestSaved) continue;
      best = { start, period, repetitions };
      bestSaved = saved;
    }
  }
  if (!best) return [];
  const end = best.start + best.repetitions * best.period;
  return [...longestRuns(signatures, kept, from, best.start), best, ...longestRuns(signatures, kept, end, to)];
}
