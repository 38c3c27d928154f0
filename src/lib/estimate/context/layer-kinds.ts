import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import type { Placement } from '../weights/placement.js';
import { numbered } from './fewest-layers.js';
import type { SeenWeights } from './seen-weights.js';

/** What makes a layer differ from others of a model beside what every model's layers differ by. */
export type KindOf = (layer: number, shape: ModelShape) => string | number;

/** What layers of a context differ by: their graphs, weights, caches and devices. */
export class LayerKinds {
  constructor(
    private readonly shape: ModelShape,
    private readonly placement: Placement,
    private readonly memory: ContextMemory,
    private readonly weights: SeenWeights['layers'],
  ) {}

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
