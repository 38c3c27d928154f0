import type { GgmlType } from '../../gguf/ggml-types.js';
import type { GgufTensor } from '../../gguf/header.js';
import { sameNumbers } from '../../gguf/same-numbers.js';
import type { Hparams } from '../../model/hparams.js';
import type { Backend } from '../ggml/backend.js';
import type { Device } from '../ggml/device.js';
import type { NamedWeight } from './tensor-position.js';
import { supportsWeight, type WeightOp } from './weight-op.js';

interface TriedWeight {
  readonly type: GgmlType;
  readonly dims: readonly number[];
  readonly isSupported: boolean;
}

/** Whether backends can run the ops of a model's weights. Most layers have the same weights, of which each is tried once. */
export class TriedWeights {
  readonly #byOp = new Map<Backend, Map<WeightOp, TriedWeight[]>>();

  constructor(private readonly hparams: Hparams) {}

  supports(backend: Backend, { type, dims }: Pick<GgufTensor, 'dims' | 'type'>, op: WeightOp): boolean {
    const ops = this.#byOp.get(backend) ?? new Map<WeightOp, TriedWeight[]>();
    const tried = ops.get(op) ?? [];
    const known = tried.find((other) => other.type === type && sameNumbers(other.dims, dims));
    if (known !== undefined) return known.isSupported;
    const isSupported = supportsWeight(backend, { type, dims }, op, this.hparams);
    tried.push({ type, dims, isSupported });
    this.#byOp.set(backend, ops.set(op, tried));
    return isSupported;
  }
}

type Weight = Pick<GgufTensor, 'dims' | 'type'>;

interface FoundOf<T> {
  readonly type: GgmlType;
  readonly device: Device;
  readonly found: T;
}

/** What was found out of the weight before of each kind: most layers have the same weights as the one before. */
export class FoundByKind<T> {
  readonly #last: FoundOf<T>[] = [];

  constructor(private readonly find: (weight: Weight, device: Device, named: NamedWeight) => T) {}

  of(weight: Weight, device: Device, named: NamedWeight): T {
    const last = this.#last[named.kind];
    const { type } = weight;
    if (last !== undefined && last.type === type && last.device === device) return last.found;
    const found = this.find(weight, device, named);
    this.#last[named.kind] = { type, device, found };
    return found;
  }
}
