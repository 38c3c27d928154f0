import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import type { Repeats } from '../ggml/settled-allocation.js';
import type { Placement } from '../weights/placement.js';
import { type Coverage, fewestLayers } from './fewest-layers.js';

/** From the fewest layers to more, where those are not seen to stand for the others. */
const COVERAGES: readonly Coverage[] = [
  { reach: 1, times: 2 },
  { reach: 2, times: 2 },
  { reach: 4, times: 2 },
];
/** Planning more than this share of the layers first, perhaps in vain, is not worth it. */
const WORTH_TRYING = 0.9;

const WEIGHTS_BY_LAYER = new WeakMap<Placement, readonly string[]>();
/** By the kinds of a model's layers, which few of its launches differ in. */
const PLANS = new WeakMap<ModelShape, Map<string, Plans>>();

type Plans = readonly [PlannedLayers, ...PlannedLayers[]];

export interface PlannedLayers {
  readonly layers: readonly number[];
  readonly leftOut: ReadonlySet<number>;
  /** How the others follow from them; null = there are no others. */
  readonly others: StandIns | null;
}

/** Planned layers, by their places in `PlannedLayers.layers`, that stand for all of a model's. */
export interface StandIns {
  /** Layers of one group have the same neighbours. */
  readonly groupOf: readonly number[];
  /** How many neighbours on each side are the same. */
  readonly reach: number;
  /** For each of the model's layers the planned one whose steps it repeats: itself where it is planned. */
  readonly placeOf: readonly number[];
  /** Layers that do what those before them did. */
  readonly repeats: readonly Repeats[];
}

export function allLayers({ hparams }: ModelShape): PlannedLayers {
  return { layers: Array.from({ length: hparams.nLayer }, (_, layer) => layer), leftOut: new Set(), others: null };
}

/**
 * The layers that need planning, fewest first; where their steps are seen to repeat, they are enough. The last are all.
 */
export function representativeLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number = () => 0,
): Plans {
  const kinds = kindsOfLayers(shape, placement, memory, kindOf);
  const known = PLANS.get(shape) ?? new Map<string, Plans>();
  PLANS.set(shape, known);
  const key = kinds.join();
  const plans = known.get(key) ?? plansFor(kinds, allLayers(shape));
  known.set(key, plans);
  return plans;
}

function plansFor(kinds: readonly number[], all: PlannedLayers): Plans {
  const fewer = COVERAGES.map((coverage) => fewestLayers(kinds, coverage)).filter(
    ({ layers }) => layers.length <= WORTH_TRYING * kinds.length,
  );
  const [first, ...more] = [...fewer, all];
  return first ? [first, ...more] : [all];
}

/** Layers of one number have the same graph, weights, caches and devices. */
function kindsOfLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number,
): readonly number[] {
  const { hparams } = shape;
  const byLayer = WEIGHTS_BY_LAYER.get(placement) ?? weightsByLayer(shape, placement);
  WEIGHTS_BY_LAYER.set(placement, byLayer);
  const { base, swa, recurrent, indexer, experts } = memory;
  const numbers = new Map<string, number>();
  return Array.from({ length: hparams.nLayer }, (_, layer) => {
    const signature = [
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
    ].join(';');
    const number = numbers.get(signature) ?? numbers.size;
    numbers.set(signature, number);
    return number;
  });
}

/** Name, shape and place of each layer's weights; types only where they may be copied to another device, as repacked ones never are. */
function weightsByLayer(shape: ModelShape, placement: Placement): readonly string[] {
  const result: string[][] = Array.from({ length: shape.hparams.nLayer }, () => []);
  for (const tensor of shape.tensors.values()) {
    const [, blocks, number, name] = /^((?:enc\.|dec\.)?blk)\.(\d+)\.(.+)$/.exec(tensor.name) ?? [];
    const list = number === undefined ? undefined : result[Number(number)];
    if (!list) continue;
    const { device, repacked } = placement.bufferOf(tensor);
    const copiedType = placement.hasGpu && device === 'cpu' && !repacked ? tensor.type.name : '';
    list.push(`${blocks}.${name}:${tensor.dims.join('x')}:${device}:${repacked}:${copiedType}`);
  }
  return result.map((weights) => weights.join());
}
