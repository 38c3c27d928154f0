import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import { KnownTapes } from '../ggml/repeats/known-tapes.js';
import type { Repeats } from '../ggml/repeats/settled-allocation.js';
import type { Placement } from '../weights/placement.js';
import type { GraphSize } from './graph-capacity.js';
import { fewestLayers, numbered } from './fewest-layers.js';
import { PlannedBefore } from './planned-before.js';
import { type SeenWeights, seenWeights } from './seen-weights.js';

/** From the fewest layers to more, where those are not seen to stand for the others. */
const REACHES = [1, 2, 4];
/** Planning more than this share of the layers first, perhaps in vain, is not worth it. */
const WORTH_TRYING = 0.9;

/** By the kinds of a model's layers, which few launches differ in that place its weights alike. */
const PLANS = new WeakMap<Placement, Map<string, LayerPlans>>();
/** By these and by what plans see of its weights, in whatever quantization. */
const PLANS_OF_KINDS = new WeakMap<Hparams, Map<string, PlansOfKinds>>();

/** Plans from the fewest layers to all, each made when it is asked for: seldom is more than the first needed. */
export class LayerPlans {
  private readonly made: LayerPlan[] = [];

  /**
   * @param before what was planned for these kinds of layers
   * @param types of the model's weights
   */
  constructor(
    private readonly rest: Iterator<LayerPlan>,
    readonly before = new PlannedBefore(),
    readonly types = '',
  ) {}

  /** Undefined behind the plan of all layers, which is the last. */
  at(index: number): LayerPlan | undefined {
    for (let next; this.made.length <= index && !(next = this.rest.next()).done;) this.made.push(next.value);
    return this.made[index];
  }
}

/** What all quantizations have in common of which plans see the same. */
interface PlansOfKinds {
  readonly fewer: LayerPlans;
  readonly before: PlannedBefore;
}

/** Layers that are enough where no layer depends on others that are further away than some reach, or all. */
export interface LayerPlan {
  /** Of those that are alike two, which can be compared, or all. */
  readonly compared: PlannedLayers;
  /** One layer of each kind and both ends, or somewhat more: enough for what is known from having planned those. */
  readonly once: readonly PlannedLayers[];
  readonly known: KnownTapes;
  /** Of all layers' graphs, by the sizes of some layers'. */
  readonly wholeSizes: Map<string, GraphSize>;
  /** How layers whose weights are of different types, which stay where they are, stand for one another; told apart where that matters. */
  readonly types: 'none-differ' | 'ignored' | 'told-apart';
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
export function everyLayer(shape: ModelShape): LayerPlans {
  return new LayerPlans([planOf(allLayers(shape), [])].values());
}

/** The layers that need planning; where their steps are seen to repeat, they are enough. */
export function representativeLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number = () => 0,
): LayerPlans {
  const { layers: weights, key, types } = seenWeights(shape, placement);
  const kinds = kindsOfLayers(shape, placement, memory, kindOf, weights);
  const known = PLANS.get(placement) ?? new Map<string, LayerPlans>();
  PLANS.set(placement, known);
  const ofKinds = kinds.join();
  const plans =
    known.get(ofKinds) ?? plansFor(shape, kinds, kindsByType(shape, kinds, weights), `${key} ${ofKinds}`, types);
  known.set(ofKinds, plans);
  return plans;
}

function plansFor(
  shape: ModelShape,
  kinds: readonly number[],
  typedKinds: readonly number[],
  key: string,
  types: string,
): LayerPlans {
  const known = PLANS_OF_KINDS.get(shape.hparams) ?? new Map<string, PlansOfKinds>();
  PLANS_OF_KINDS.set(shape.hparams, known);
  const ofKinds = known.get(key) ?? { fewer: new LayerPlans(fewerLayers(kinds)), before: new PlannedBefore() };
  known.set(key, ofKinds);
  return new LayerPlans(fewerThenAll(shape, kinds, typedKinds, ofKinds.fewer), ofKinds.before, types);
}

function* fewerThenAll(
  shape: ModelShape,
  kinds: readonly number[],
  typedKinds: readonly number[],
  fewer: LayerPlans,
): Generator<LayerPlan, void> {
  const differ = typedKinds.some((kind, layer) => kind !== kinds[layer]);
  for (let i = 0, plan; (plan = fewer.at(i)) !== undefined; i++) yield differ ? { ...plan, types: 'ignored' } : plan;
  if (differ) for (const plan of fewerLayers(typedKinds)) yield { ...plan, types: 'told-apart' };
  yield planOf(allLayers(shape), onceEach(kinds));
}

function* fewerLayers(kinds: readonly number[]): Generator<LayerPlan, void> {
  const once = onceEach(kinds);
  const elsewhere = once.flatMap(({ layers }) => layers);
  for (const reach of REACHES) {
    const compared = fewestLayers(kinds, { reach, times: 2 }, elsewhere);
    if (isWorthTrying(compared)) yield planOf(compared, once);
  }
}

function isWorthTrying({ layers, leftOut }: PlannedLayers): boolean {
  return layers.length <= WORTH_TRYING * (layers.length + leftOut.size);
}

function onceEach(kinds: readonly number[]): readonly PlannedLayers[] {
  return [
    fewestLayers(withEnds(kinds, 1), { reach: 0, times: 1 }),
    fewestLayers(withEnds(kinds, 2), { reach: 0, times: 1 }),
    fewestLayers(withSeams(withEnds(kinds, 2)), { reach: 0, times: 1 }),
    fewestLayers(kinds, { reach: 1, times: 1 }),
  ].filter(isWorthTrying);
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
    types: 'none-differ',
  };
}

/** Layers of one number have the same graph, weights, caches and devices. */
function kindsOfLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number,
  weights: SeenWeights['layers'],
): readonly number[] {
  const { hparams } = shape;
  const { base, swa, recurrent, indexer, experts } = memory;
  return numbered(hparams.nLayer, (layer) =>
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
      weights[hparams.blockOf[layer] ?? layer]?.known,
    ].join(';'),
  );
}

function kindsByType(
  { hparams }: ModelShape,
  kinds: readonly number[],
  weights: SeenWeights['layers'],
): readonly number[] {
  return numbered(kinds.length, (layer) => `${kinds[layer]};${weights[hparams.blockOf[layer] ?? layer]?.types}`);
}
