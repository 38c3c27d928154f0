import type { ModelShape } from '../model/model-shape.js';
import type { ContextMemory } from './cache.js';
import type { Placement } from './placement.js';

/** Repetitions that are planned of each repeated run of layers: enough for the allocator to settle into its rhythm. */
const KEPT_REPETITIONS = 4;
/** Two repetitions on, results usually lie where they lay before. */
const RHYTHM = 2;
const LONGEST_PERIOD = 12;

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
 * The layers that need planning. Layers that look alike to the allocator (same ops, shapes and devices) in long
 * repetitions reach the same peak again and again; only the first and last few of such a run are kept.
 */
export function representativeLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number, shape: ModelShape) => string | number = () => 0,
): PlannedLayers {
  const { hparams } = shape;
  const byLayer = WEIGHTS_BY_LAYER.get(placement) ?? weightsByLayer(shape, placement);
  WEIGHTS_BY_LAYER.set(placement, byLayer);
  const { base, swa, recurrent, indexer } = memory;
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
      byLayer[hparams.blockOf[layer] ?? layer],
    ].join(';'),
  );
  let planned = allLayers(shape);
  for (let period = 1; period <= LONGEST_PERIOD; period++) planned = shorten(planned, signatures, period);
  return planned;
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
function shorten({ layers, cuts }: PlannedLayers, signatures: readonly string[], period: number): PlannedLayers {
  const result: number[] = [];
  const added: Cut[] = [];
  for (let i = 0; i < layers.length;) {
    let end = i + period;
    while (end < layers.length && signatures[layers[end] as number] === signatures[layers[end - period] as number])
      end++;
    const repetitions = Math.floor((end - i) / period);
    const removed = Math.floor((repetitions - KEPT_REPETITIONS) / RHYTHM) * RHYTHM;
    if (removed > 0) {
      const resume = i + (repetitions - 1) * period;
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
