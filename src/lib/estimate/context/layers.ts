import { Kept } from '../../kept.js';
import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import { KnownTapes } from '../ggml/repeats/known-tapes.js';
import { Layouts } from '../ggml/repeats/layouts.js';
import type { Repeats } from '../ggml/repeats/settled-allocation.js';
import type { Placement } from '../weights/placement.js';
import type { GraphSize } from './graph-capacity.js';
import { type FewestLayers, fewestLayers } from './fewest-layers.js';
import { type KindOf, LayerKinds } from './layer-kinds.js';
import { PlannedBefore } from './planned-before.js';
import { repeatsAmong } from './repeats.js';
import { type SeenWeights, seenWeights } from './seen-weights.js';

/** From the fewest layers to more, where those are not seen to stand for the others. */
const REACHES = [1, 2, 4];
/** Planning more than this share of the layers first, perhaps in vain, is not worth it. */
const WORTH_TRYING = 0.9;

/** By the kinds of a model's layers, which few launches differ in that place its weights alike. */
const PLANS = new Kept<Placement, LayerPlans>();
/** By these and by what plans see of its weights, in whatever quantization. */
const PLANS_OF_KINDS = new Kept<Hparams, PlansOfKinds>();

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
  /** Of `compared`. */
  readonly layouts: Layouts;
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

/** What makes layers of a graph differ: see `ArchitectureGraph`. */
interface GraphKinds {
  readonly kindOf?: KindOf | undefined;
  readonly kindWithoutParts?: KindOf | undefined;
}

/** The layers that need planning; where their steps are seen to repeat, they are enough. */
export function representativeLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  { kindOf = () => 0, kindWithoutParts }: GraphKinds,
): LayerPlans {
  const weights = seenWeights(shape, placement);
  const layerKinds = new LayerKinds(shape, placement, memory, weights.layers);
  const kinds = layerKinds.by(kindOf);
  return PLANS.of(placement, kinds.join(), () => {
    const besideParts = kindWithoutParts && layerKinds.by(kindWithoutParts);
    const typed = { kinds: layerKinds.typed(kinds), besideParts: besideParts && layerKinds.typed(besideParts) };
    return plansFor(shape, { kinds, besideParts }, typed, weights);
  });
}

/** By layer. */
interface Kinds {
  readonly kinds: readonly number[];
  /** Where one of each is enough, since what else differs is found in parts. */
  readonly besideParts: readonly number[] | undefined;
}

function plansFor(shape: ModelShape, untyped: Kinds, typed: Kinds, weights: SeenWeights): LayerPlans {
  const key = [weights.key, untyped.kinds, untyped.besideParts].join(' ');
  const ofKinds = PLANS_OF_KINDS.of(shape.hparams, key, () => ({
    fewer: new LayerPlans(fewerLayers(untyped)),
    before: new PlannedBefore(),
  }));
  return new LayerPlans(fewerThenAll(shape, untyped, typed, ofKinds.fewer), ofKinds.before, weights.types);
}

function* fewerThenAll(shape: ModelShape, untyped: Kinds, typed: Kinds, fewer: LayerPlans): Generator<LayerPlan, void> {
  const differ = typed.kinds.some((kind, layer) => kind !== untyped.kinds[layer]);
  for (let i = 0, plan; (plan = fewer.at(i)) !== undefined; i++) yield differ ? { ...plan, types: 'ignored' } : plan;
  if (differ) for (const plan of fewerLayers(typed)) yield { ...plan, types: 'told-apart' };
  yield planOf(allLayers(shape), onceEach(untyped));
}

function* fewerLayers(kinds: Kinds): Generator<LayerPlan, void> {
  const once = onceEach(kinds);
  const elsewhere = once.flatMap(({ layers }) => layers);
  for (const reach of REACHES) {
    const compared = fewestLayers(kinds.kinds, { reach, times: 2 });
    if (isWorthTrying(compared)) yield planOf(withRepeats(compared, elsewhere), once);
  }
}

/** None of `elsewhere` counts as repeating those before it. */
export function withRepeats(
  { layers, leftOut, groups, others }: FewestLayers,
  elsewhere: readonly number[] = [],
): PlannedLayers {
  const repeats = repeatsAmong(groups, [...layers, ...elsewhere], others.reach);
  return { layers, leftOut, others: { ...others, repeats } };
}

function isWorthTrying({ layers, leftOut }: Pick<PlannedLayers, 'layers' | 'leftOut'>): boolean {
  return layers.length <= WORTH_TRYING * (layers.length + leftOut.size);
}

function onceEach({ kinds, besideParts }: Kinds): readonly FewestLayers[] {
  return [...(besideParts ? onceOf(besideParts) : []), ...onceOf(kinds)];
}

function onceOf(kinds: readonly number[]): readonly FewestLayers[] {
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

function planOf(compared: PlannedLayers, once: readonly FewestLayers[]): LayerPlan {
  const { repeats } = compared.others;
  const fewer = once.filter(({ layers }) => layers.length <= compared.layers.length);
  return {
    compared,
    once: fewer.map(({ layers, leftOut, others }) => ({ layers, leftOut, others: { ...others, repeats } })),
    layouts: new Layouts(),
    known: new KnownTapes(),
    wholeSizes: new Map(),
    types: 'none-differ',
  };
}
