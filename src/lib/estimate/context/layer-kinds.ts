import type { GgufTensor } from '../../gguf/header.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import type { Buffer } from '../ggml/tensor.js';
import type { Placement } from '../weights/placement.js';
import { numbered } from './fewest-layers.js';

/** What makes a layer differ from others of a model beside what every model's layers differ by. */
export type KindOf = (layer: number, shape: ModelShape) => string | number;

const WEIGHTS_BY_LAYER = new WeakMap<Placement, readonly LayerWeights[]>();

/** What a layer's weights are, as far as its graph and the plan for it depend on it. */
interface LayerWeights {
  readonly known: number;
  /** Of those that stay where they are, which no plan looks at unless they are copied after all. */
  readonly types: string;
}

/** What layers of a context differ by: their graphs, weights, caches and devices. */
export class LayerKinds {
  private readonly weights: readonly LayerWeights[];

  constructor(
    private readonly shape: ModelShape,
    private readonly placement: Placement,
    private readonly memory: ContextMemory,
  ) {
    this.weights = WEIGHTS_BY_LAYER.get(placement) ?? weightsByLayer(shape, placement);
    WEIGHTS_BY_LAYER.set(placement, this.weights);
  }

  /** By layer, numbers that are the same for layers that are alike. */
  by(kindOf: KindOf): readonly number[] {
    const { shape, placement, weights } = this;
    const { hparams } = shape;
    const { base, swa, recurrent, indexer, experts } = this.memory;
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

  /** The same, and of one where types of weights are the same that no plan looks at. */
  typed(kinds: readonly number[]): readonly number[] {
    const { blockOf } = this.shape.hparams;
    return numbered(kinds.length, (layer) => `${kinds[layer]};${this.weights[blockOf[layer] ?? layer]?.types}`);
  }
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
