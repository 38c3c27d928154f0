import type { ModelShape } from '../model/model-shape.js';
import type { ContextMemory } from './cache.js';
import type { Placement } from './placement.js';

/** How much of a run of repetitions is planned. */
interface Thrift {
  /** Repetitions that are planned at least: enough for the allocator to settle into its rhythm. */
  readonly kept: number;
  /** So many repetitions on, results lie where they lay before. */
  readonly rhythm: number;
  /** Those planned behind what is left out; with one alone, the model's last layer may be mixed with it already. */
  readonly behind: number;
}

/** Of single layers that repeat each other, and of longer periods; the second where the first does not settle. */
const THRIFTS: readonly { readonly layers: Thrift; readonly periods: Thrift }[] = [
  { layers: { kept: 4, rhythm: 2, behind: 1 }, periods: { kept: 3, rhythm: 1, behind: 1 } },
  { layers: { kept: 6, rhythm: 6, behind: 2 }, periods: { kept: 4, rhythm: 2, behind: 2 } },
];
const LONGEST_PERIOD = 12;
/** Planning more than this share of the layers first, perhaps in vain, is not worth it. */
const WORTH_TRYING = 0.7;

const WEIGHTS_BY_LAYER = new WeakMap<Placement, readonly string[]>();

/** Repetitions left out before a layer. */
interface Cut {
  readonly layer: number;
  /** Layers in one repetition. */
  readonly period: number;
  readonly removed: number;
}

export interface PlannedLayers {
  readonly layers: readonly number[];
  readonly cuts: readonly Cut[];
}

export function allLayers({ hparams }: ModelShape): PlannedLayers {
  return { layers: Array.from({ length: hparams.nLayer }, (_, layer) => layer), cuts: [] };
}

/**
 * Whether what was left out cannot matter: before each cut the allocator was in a state that it had been in before, a number
 * of repetitions ago that divides the number left out.
 */
export function isSettled({ layers, cuts }: PlannedLayers, stateBefore: ReadonlyMap<number, string>): boolean {
  return cuts.every(({ layer, period, removed }) => {
    const index = layers.indexOf(layer);
    for (let repetitions = 1; index - repetitions * period >= 0; repetitions++) {
      const earlier = layers[index - repetitions * period] as number;
      if (removed % repetitions === 0 && stateBefore.get(earlier) === stateBefore.get(layer)) return true;
    }
    return false;
  });
}

/**
 * The layers that need planning, fewest first; what settles is enough, the last are all. Layers that look alike to the
 * allocator (same ops, shapes and devices) in long repetitions reach the same peak again and again; only the first and last
 * few of such a run are kept.
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
  const [first, ...others] = THRIFTS.map(({ layers, periods }) => {
    let planned = all;
    for (let period = 1; period <= LONGEST_PERIOD; period++)
      planned = shorten(planned, signatures, period, period === 1 ? layers : periods);
    return planned;
  });
  if (!first || first.cuts.length === 0) return [all];
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

/** Runs in which every layer equals the one `period` further on, cut to the repetitions that are needed. */
function shorten(
  { layers, cuts }: PlannedLayers,
  signatures: readonly string[],
  period: number,
  { kept, rhythm, behind }: Thrift,
): PlannedLayers {
  const result: number[] = [];
  const added: Cut[] = [];
  for (let i = 0; i < layers.length;) {
    let end = i + period;
    while (end < layers.length && signatures[layers[end] as number] === signatures[layers[end - period] as number])
      end++;
    const repetitions = Math.floor((end - i) / period);
    const removed = Math.floor((repetitions - kept) / rhythm) * rhythm;
    if (removed > 0) {
      const resume = i + (repetitions - behind) * period;
      result.push(...layers.slice(i, resume - removed * period), ...layers.slice(resume, end));
      added.push({ layer: layers[resume] as number, period, removed });
      i = end;
    } else {
      result.push(layers[i] as number);
      i++;
    }
  }
  return { layers: result, cuts: [...cuts.filter(({ layer }) => result.includes(layer)), ...added] };
}
