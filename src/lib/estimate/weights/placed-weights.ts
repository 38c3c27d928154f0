import type { GgufTensor } from '../../gguf/header.js';
import { DeviceTally } from '../ggml/device.js';
import type { Buffer } from '../ggml/tensor.js';
import { RangeList } from './mapped-ranges.js';
import type { NamedWeight } from './tensor-position.js';
import { CPU, type WeightLoader } from './weight-loader.js';

/** A weight that is loaded, and the buffer that it is used in. */
export interface LoadedWeight {
  readonly tensor: GgufTensor;
  readonly buffer: Buffer;
  readonly named: NamedWeight;
}

/** What loaded weights take, as ranges of their files and as copies. */
export class WeightSums {
  readonly ranges = { gpu: new RangeList(), cpu: new RangeList() };
  /** What the host keeps: one lock for each file grows from its first mapped tensor to the last (`llama_mlock::grow_to` in `load_all_data`). */
  readonly kept = new RangeList();
  readonly copied = new DeviceTally();

  add({ tensor, buffer, named }: LoadedWeight, loader: WeightLoader): void {
    const { device } = buffer;
    if (!loader.isMapped(tensor, buffer)) {
      this.copied.add(device, loader.copiedBytesFor(tensor, device, named));
      return;
    }
    const alone = loader.llama.ownRanges || loader.isLazy(tensor);
    this.ranges[device === 'cpu' ? 'cpu' : 'gpu'].include(tensor, buffer, alone);
    if (loader.locks) this.kept.include(tensor, CPU, loader.isLazy(tensor));
    else if (device === 'cpu') this.kept.include(tensor, buffer, true);
  }

  include({ ranges, kept, copied }: WeightSums): void {
    this.ranges.gpu.includeAll(ranges.gpu);
    this.ranges.cpu.includeAll(ranges.cpu);
    this.kept.includeAll(kept);
    this.copied.addAll(copied);
  }
}

/** Weights of a model's file, whether they are loaded or not. */
export interface FileWeights {
  readonly tensors: readonly GgufTensor[];
  /** What their names say. */
  readonly named: readonly NamedWeight[];
  /** Their places in the file's list; unset: all are there, in order. */
  readonly indices?: readonly number[];
}

/** All weights of a model, or some that lie alike in several placements, where they are used. */
export class PlacedWeights {
  private summed: WeightSums | undefined;
  private atLeast: { readonly all: number; readonly onHost: number } | undefined;

  constructor(
    readonly weights: FileWeights,
    readonly loaded: readonly LoadedWeight[],
    private readonly loader: WeightLoader,
  ) {}

  get sums(): WeightSums {
    return (this.summed ??= this.sumUp());
  }

  private sumUp(): WeightSums {
    const sums = new WeightSums();
    for (const weight of this.loaded) sums.add(weight, this.loader);
    return sums;
  }

  /** What they hold however they are read, each counted once, and what of that the host holds. */
  get least(): { readonly all: number; readonly onHost: number } {
    return (this.atLeast ??= this.sumLeast());
  }

  private sumLeast(): { all: number; onHost: number } {
    const sum = { all: 0, onHost: 0 };
    let before: GgufTensor | undefined;
    for (const { tensor, buffer } of this.loaded) {
      if (buffer.device === 'cpu') sum.onHost += tensor.bytes;
      if (tensor !== before) sum.all += tensor.bytes;
      before = tensor;
    }
    return sum;
  }
}
