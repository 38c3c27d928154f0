import type { ModelShape } from '../model/model-shape.js';
import type { ContextMemory } from './cache.js';
import type { Placement } from './placement.js';

/** Repetitions that are planned of each repeated run of layers: enough for the allocator to settle into its rhythm. */
const KEPT_REPETITIONS = 4;
/** Two layers on, results lie where they lay before: removing an even number of repetitions changes nothing. */
const RHYTHM = 2;
const LONGEST_PERIOD = 12;

/**
 * The layers that need planning. Layers that look alike to the allocator (same ops, shapes and devices) in long
 * repetitions reach the same peak again and again; only the first and last few of such a run are kept.
 */
export function representativeLayers(
  shape: ModelShape,
  placement: Placement,
  memory: ContextMemory,
  kindOf: (layer: number) => string | number = () => 0,
): number[] {
  const { hparams } = shape;
  const byLayer = weightsByLayer(shape, placement);
  const { base, swa, recurrent } = memory;
  const signatures = Array.from({ length: hparams.nLayer }, (_, layer) =>
    [
      kindOf(layer),
      placement.layerDevice(layer),
      hparams.nHead[layer],
      hparams.nHeadKv[layer],
      hparams.nFf[layer],
      hparams.nExpertUsed[layer],
      hparams.isSwa[layer],
      hparams.isRecurrent[layer],
      hparams.nLayerKvFromStart >= 0 && layer >= hparams.nLayerKvFromStart,
      base?.layers.get(layer)?.k.ne.join(),
      swa?.layers.get(layer)?.k.ne.join(),
      recurrent?.layers.has(layer),
      byLayer[layer]?.join(),
    ].join(';'),
  );
  let kept = signatures.map((_, layer) => layer);
  for (let period = 1; period <= LONGEST_PERIOD; period++) kept = shorten(kept, signatures, period);
  return kept;
}

/** Name, shape and place of each layer's weights; types only where weights may be copied to another device. */
function weightsByLayer(shape: ModelShape, placement: Placement): string[][] {
  const result: string[][] = Array.from({ length: shape.hparams.nLayer }, () => []);
  for (const tensor of shape.tensors.values()) {
    const [, number, name] = /^blk\.(\d+)\.(.+)$/.exec(tensor.name) ?? [];
    const list = number === undefined ? undefined : result[Number(number)];
    if (!list) continue;
    const { device, repacked } = placement.bufferOf(tensor);
    const copied = placement.hasGpu && device === 'cpu';
    list.push(`${name}:${tensor.dims.join('x')}:${device}${copied ? `:${tensor.type.name}:${repacked}` : ''}`);
  }
  return result;
}

/** Runs in which every layer equals the one `period` further on, cut to the repetitions that are needed. */
function shorten(layers: readonly number[], signatures: readonly string[], period: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < layers.length;) {
    let end = i + period;
    while (end < layers.length && signatures[layers[end] as number] === signatures[layers[end - period] as number])
      end++;
    const repetitions = Math.floor((end - i) / period);
    const surplus = Math.floor((repetitions - KEPT_REPETITIONS) / RHYTHM) * RHYTHM;
    if (surplus > 0) {
      const keep = (repetitions - surplus) * period;
      const tail = (end - i) % period;
      result.push(...layers.slice(i, i + keep - period));
      result.push(...layers.slice(end - tail - period, end));
      i = end;
    } else {
      result.push(layers[i] as number);
      i++;
    }
  }
  return result;
}
