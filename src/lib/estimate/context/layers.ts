import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import { KnownTapes } from '../ggml/known-tapes.js';
import type { Repeats } from '../ggml/settled-allocation.js';
import type { Placement } from '../weights/placement.js';
import type { GraphSize } from './graph-capacity.js';
import { fewestLayers } from './fewest-layers.js';

/** From the fewest layers to more, where those are not seen to stand for the others. */
const REACHES = [1, 2, 4];
/** Planning more than this share of the layers first, perhaps in vain, is not worth it. */
const WORTH_TRYING = 0.9;

const WEIGHTS_BY_LAYER = new WeakMap<Placement, readonly string[]>();
/** By the kinds of a model's layers, which few launches differ in that place its weights alike. */
const PLANS = new WeakMap<Placement, Map<string, Plans>>();

type Plans = readonly [LayerPlan, ...LayerPlan[]];

/** Layers that are enough where no layer depends on others that are further away than some reach, or all. */
export interface LayerPlan {
  /** Of those that are alike two, which can be compared, or all. */
  readonly compared: PlannedLayers;
  /** One layer of each kind and both ends, or somewhat more: enough for what is known from having planned those. */
  readonly once: readonly PlannedLayers[];
  readonly known: KnownTapes;
  /** Of all layers' graphs, by the sizes of some layers'. */
  readonly wholeSizes: Map<string, GraphSize>;
}

export interface PlannedLayers {
  readonly layers: readonly number[];
  readonly leftOut: ReadonlySet<number>;
  /** How the others follow from them. */
  readonly others: StandIns;
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
  const layers = Array.from({ length: hparams.nLayer }, (_, layer) => layer);
  return { layers, leftOut: new Set(), others: { groupOf: layers, placeOf: layers, reach: 0, repeats: [] } };
}

/** The plan that leaves nothing out. */
export function everyLayer(shape: ModelShape): LayerPlan {
  const all = allLayers(shape);
  return { compared: all, once: [], known: new KnownTapes(), wholeSizes: new Map() };
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
  const known = PLANS.get(placement) ?? new Map<string, Plans>();
  PLANS.set(placement, known);
  const key = kinds.join();
  const plans = known.get(key) ?? plansFor(kinds, everyLayer(shape));
  known.set(key, plans);
  return plans;
}

function plansFor(kinds: readonly number[], { compared: all }: LayerPlan): Plans {
  const isWorthTrying = ({ layers }: PlannedLayers): boolean => layers.length <= WORTH_TRYING * kinds.length;
  const once = [
    fewestLayers(withEnds(kinds, 1), { reach: 0, times: 1 }),
    fewestLayers(withEnds(kinds, 2), { reach: 0, times: 1 }),
    fewestLayers(withSeams(withEnds(kinds, 2)), { reach: 0, times: 1 }),
    fewestLayers(kinds, { reach: 1, times: 1 }),
  ].filter(isWorthTrying);
  const elsewhere = once.flatMap(({ layers }) => layers);
  const compared = REACHES.map((reach) => fewestLayers(kinds, { reach, times: 2 }, elsewhere)).filter(isWorthTrying);
  const [first, ...more] = [...compared, all].map((layers) => planOf(layers, once)) as [LayerPlan, ...LayerPlan[]];
  return [first, ...more];
}

/** Kinds of which the last layer and so many of the first have one for themselves. */
function withEnds(kinds: readonly number[], first: number): readonly number[] {
  return kinds.map((kind, layer) => (layer < first || layer === kinds.length - 1 ? -1 - layer : kind));
}

/** The layers beside a seam, such as that between two devices, on whose sides no kind is the same, have kinds for themselves. */
function withSeams(kinds: readonly number[]): readonly number[] {
  const lastOf = new Map(kinds.map((kind, layer) => [kind, layer]));
  const result = [...kinds];
  let reached = 0;
  for (let layer = 0; layer + 1 < kinds.length; layer++) {
    reached = Math.max(reached, lastOf.get(kinds[layer] as number) as number);
    if (reached === layer) for (const beside of [layer, layer + 1]) result[beside] = -1 - beside;
  }
  return result;
}

function planOf(compared: PlannedLayers, once: readonly PlannedLayers[]): LayerPlan {
  const { repeats } = compared.others;
  const fewer = once.filter(({ layers }) => layers.length <= compared.layers.length);
  return {
    compared,
    once: fewer.map(({ others, ...layers }) => ({ ...layers, others: { ...others, repeats } })),
    known: new KnownTapes(),
    wholeSizes: new Map(),
  };
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

/**
 * Name, shape and place of each layer's weights; types only where they may be copied to another device, as repacked ones never are,
 * or where ops take one type alone: those of vectors and of tables of numbers.
 */
function weightsByLayer(shape: ModelShape, placement: Placement): readonly string[] {
  const result: string[][] = Array.from({ length: shape.hparams.nLayer }, () => []);
  for (const tensor of shape.tensors.values()) {
    const [, blocks, number, name] = /^((?:enc\.|dec\.)?blk)\.(\d+)\.(.+)$/.exec(tensor.name) ?? [];
    const list = number === undefined ? undefined : result[Number(number)];
    if (!list) continue;
    const { device, repacked } = placement.bufferOf(tensor);
    const isCopied = placement.hasGpu && device === 'cpu' && !repacked;
    const type = isCopied || tensor.dims.length === 1 || tensor.type.name === 'I32' ? tensor.type.name : '';
    list.push(`${blocks}.${name}:${tensor.dims.join('x')}:${device}:${repacked}:${type}`);
  }
  return result.map((weights) => weights.join());
}
