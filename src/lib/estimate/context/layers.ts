import type { GgufTensor } from '../../gguf/header.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import { KnownTapes } from '../ggml/known-tapes.js';
import type { Buffer } from '../ggml/tensor.js';
import type { Repeats } from '../ggml/settled-allocation.js';
import type { Placement } from '../weights/placement.js';
import type { GraphSize } from './graph-capacity.js';
import { fewestLayers, numbered } from './fewest-layers.js';

/** From the fewest layers to more, where those are not seen to stand for the others. */
const REACHES = [1, 2, 4];
/** Planning more than this share of the layers first, perhaps in vain, is not worth it. */
const WORTH_TRYING = 0.9;

const WEIGHTS_BY_LAYER = new WeakMap<Placement, readonly LayerWeights[]>();
/** By the kinds of a model's layers, which few launches differ in that place its weights alike. */
const PLANS = new WeakMap<Placement, Map<string, LayerPlans>>();

/** Plans from the fewest layers to all, each made when it is asked for: seldom is more than the first needed. */
export class LayerPlans {
  private readonly made: LayerPlan[] = [];

  constructor(private readonly rest: Iterator<LayerPlan>) {}

  /** Undefined behind the plan of all layers, which is the last. */
  at(index: number): LayerPlan | undefined {
    for (let next; this.made.length <= index && !(next = this.rest.next()).done;) this.made.push(next.value);
    return this.made[index];
  }
}

/** What a layer's weights are, as far as its graph and the plan for it depend on it. */
interface LayerWeights {
  readonly known: number;
  /** Of those that stay where they are, which no plan looks at unless they are copied after all. */
  readonly types: string;
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
  return new LayerPlans([planOf(allLayers(shape), [], 'none-differ')].values());
}

/** The layers that need planning; where their steps are seen to repeat, they are enough. */
export function representativeLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number = () => 0,
): LayerPlans {
  const weights = WEIGHTS_BY_LAYER.get(placement) ?? weightsByLayer(shape, placement);
  WEIGHTS_BY_LAYER.set(placement, weights);
  const kinds = kindsOfLayers(shape, placement, memory, kindOf, weights);
  const known = PLANS.get(placement) ?? new Map<string, LayerPlans>();
  PLANS.set(placement, known);
  const key = kinds.join();
  const plans = known.get(key) ?? new LayerPlans(plansFor(kinds, kindsByType(shape, kinds, weights), allLayers(shape)));
  known.set(key, plans);
  return plans;
}

function* plansFor(
  kinds: readonly number[],
  typedKinds: readonly number[],
  all: PlannedLayers,
): Generator<LayerPlan, void> {
  const differ = typedKinds.some((kind, layer) => kind !== kinds[layer]);
  const once = onceEach(kinds);
  yield* fewerLayers(kinds, once, differ ? 'ignored' : 'none-differ');
  if (differ) yield* fewerLayers(typedKinds, onceEach(typedKinds), 'told-apart');
  yield planOf(all, once, 'none-differ');
}

function* fewerLayers(
  kinds: readonly number[],
  once: readonly PlannedLayers[],
  types: LayerPlan['types'],
): Generator<LayerPlan, void> {
  const elsewhere = once.flatMap(({ layers }) => layers);
  for (const reach of REACHES) {
    const compared = fewestLayers(kinds, { reach, times: 2 }, elsewhere);
    if (isWorthTrying(compared)) yield planOf(compared, once, types);
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

function planOf(compared: PlannedLayers, once: readonly PlannedLayers[], types: LayerPlan['types']): LayerPlan {
  const { repeats } = compared.others;
  const fewer = once.filter(({ layers }) => layers.length <= compared.layers.length);
  return {
    compared,
    once: fewer.map(({ others, ...layers }) => ({ ...layers, others: { ...others, repeats } })),
    known: new KnownTapes(),
    wholeSizes: new Map(),
    types,
  };
}

/** Layers of one number have the same graph, weights, caches and devices. */
function kindsOfLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number,
  weights: readonly LayerWeights[],
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
  weights: readonly LayerWeights[],
): readonly number[] {
  return numbered(kinds.length, (layer) => `${kinds[layer]};${weights[hparams.blockOf[layer] ?? layer]?.types}`);
}

/** What reads the same input in one shape, and never meets in a gated linear unit. */
const OF_ATTENTION = /^attn_[qkv]\.weight$/;

/** Name, shape, place and what is looked at of the type of each layer's weights, and the types. */
function weightsByLayer(shape: ModelShape, placement: Placement): readonly LayerWeights[] {
  const result = Array.from({ length: shape.hparams.nLayer }, () => ({ known: '', types: '' }));
  const found = [...shape.tensors.values()].flatMap((tensor) => {
    const [, blocks, number, name = ''] = /^((?:enc\.|dec\.)?blk)\.(\d+)\.(.+)$/.exec(tensor.name) ?? [];
    const layer = number === undefined ? undefined : result[Number(number)];
    if (layer === undefined) return [];
    const dims = tensor.dims.join('x');
    return [{ tensor, layer, blocks, name, dims, twins: OF_ATTENTION.test(name) ? undefined : `${number} ${dims}` }];
  });
  const counts = new Map<string | undefined, number>();
  for (const { twins } of found) counts.set(twins, (counts.get(twins) ?? 0) + 1);
  for (const { tensor, layer, blocks, name, dims, twins } of found) {
    const buffer = placement.bufferOf(tensor);
    const hasTwin = twins !== undefined && (counts.get(twins) as number) > 1;
    const known = knownOfType(tensor, placement, buffer, hasTwin);
    // Where the CPU alone computes, all are in one place, and nothing is copied.
    const place = placement.hasGpu ? `${buffer.device}:${buffer.repacked}` : '';
    layer.known += `${blocks}.${name}:${dims}:${place}:${known},`;
    layer.types += `${tensor.type.name},`;
  }
  const numbers = numbered(result.length, (layer) => result[layer]?.known ?? '');
  return result.map(({ types }, layer) => ({ known: numbers[layer] as number, types }));
}

/** Weights on the host may be copied to a GPU, as repacked ones never are; what is not multiplied has to be of its result's type. */
function knownOfType(
  { name, type }: GgufTensor,
  placement: Placement,
  { device, repacked }: Buffer,
  hasTwin: boolean,
): string {
  const op = placement.opOf(name);
  const isProduct = op === 'MUL_MAT' || op === 'MUL_MAT_ID';
  if (!isProduct || (placement.hasGpu && device === 'cpu' && !repacked)) return type.name;
  return placement.backendOn(device).typeTrait?.(type, op, hasTwin) ?? '';
}
