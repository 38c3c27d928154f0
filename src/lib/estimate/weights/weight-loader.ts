import type { GgufTensor } from '../../gguf/header.js';
import { Kept } from '../../kept.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { Hparams } from '../../model/hparams.js';
import { llamaCpp, type Switches } from '../../runtime/llama-cpp.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { GpuPlan } from '../devices.js';
import type { Backend } from '../ggml/backend.js';
import type { Device } from '../ggml/device.js';
import { type Buffer, contiguousStrides, type Four, pad, Tensor } from '../ggml/tensor.js';
import { backendsFor, GPU_BACKENDS } from '../launch-backends.js';
import { repacks } from './repacked-types.js';
import type { NamedWeight } from './tensor-position.js';
import { FoundByKind, TriedWeights } from './tried-weights.js';
import type { WeightOp } from './weight-op.js';

/** The host's own memory. */
export const CPU: Buffer = { device: 'cpu', usage: 'weights', repacked: false };
/** A GPU's host buffer; in the host's mapping it has a range of its own. */
const CPU_PINNED: Buffer = { device: 'cpu', usage: 'weights', repacked: false };
const CPU_REPACKED: Buffer = { device: 'cpu', usage: 'weights', repacked: true };

type Weight = Pick<GgufTensor, 'dims' | 'type'>;

const LOADERS = new Kept<ModelShape, WeightLoader>();

/** What runs a model, in whatever quantization, and which weights were tried on it: what was found out of one is known of the others. */
interface Devices {
  readonly backends: readonly Backend[];
  readonly tried: TriedWeights;
}

const DEVICES = new Kept<Hparams, Devices>();

function devicesFor(
  { hparams }: ModelShape,
  { accelerator, llamaCpp: version }: LaunchOptions,
  gpus: GpuPlan,
): Devices {
  const { name, switches } = llamaCpp(version);
  const key = JSON.stringify([accelerator, gpus.used.length, gpus.multiprocessors, name]);
  return DEVICES.of(hparams, key, () => ({
    backends: backendsFor(accelerator, gpus, switches),
    tried: new TriedWeights(hparams),
  }));
}

/**
 * How llama.cpp loads a model's weights (`src/llama-model-loader.cpp`, llama.cpp v0.5.0), however many layers go to the GPUs: launches that
 * differ in that share one.
 */
export class WeightLoader {
  /** In order of priority: the GPUs, others, the CPU. */
  readonly backends: readonly Backend[];
  readonly llama: Switches;
  /** What is read is locked in memory, from the first mapped tensor of a file to the last. */
  readonly locks: boolean;
  /** Weights are used where the file is mapped; discrete GPUs copy them. */
  private readonly gpuMaps: boolean;
  private readonly mapsFiles: boolean;
  private readonly hostBuffers: boolean;
  private readonly gpuBuffers: readonly Buffer[];
  private readonly tried: TriedWeights;
  /** Where weights are used for what their names say. */
  private readonly buffers = new FoundByKind((weight, device, { op }) => this.bufferOn(device, weight, op));
  /** What copies of weights take. */
  private readonly copies = new FoundByKind((weight, device) => this.copiedBytes(weight, device));

  static of(shape: ModelShape, launch: LaunchOptions, gpus: GpuPlan, apart: boolean): WeightLoader {
    const { accelerator, cpuArch, mmap, mlock, repack, noHost, unifiedMemory, specTypes } = launch;
    const { name } = llamaCpp(launch.llamaCpp);
    const options = [accelerator, cpuArch, mmap, mlock, repack, noHost, unifiedMemory, specTypes];
    const key = JSON.stringify([options, gpus.used.length, gpus.multiprocessors, name, apart]);
    return LOADERS.of(shape, key, () => new WeightLoader(shape, launch, gpus, apart));
  }

  private constructor(
    private readonly shape: ModelShape,
    private readonly launch: LaunchOptions,
    gpus: GpuPlan,
    apart: boolean,
  ) {
    const { accelerator } = launch;
    const { used } = gpus;
    const hasGpu = used.length > 0;
    this.llama = llamaCpp(launch.llamaCpp).switches;
    const { backends, tried } = devicesFor(shape, launch, gpus);
    this.backends = backends;
    this.tried = tried;
    this.locks = launch.mlock === true;
    // `mmap_support` of integrated GPUs: in the automatic load mode files are read, not mapped.
    this.mapsFiles = launch.mmap ?? !(hasGpu && launch.unifiedMemory === true && accelerator !== 'metal');
    this.gpuMaps = accelerator !== 'cpu' && GPU_BACKENDS[accelerator].mapsWeights;
    this.hostBuffers =
      accelerator !== 'cpu' && hasGpu && launch.noHost !== true && GPU_BACKENDS[accelerator].hostBuffers;
    this.gpuBuffers = used.map((_, device) => ({ device, usage: 'weights', repacked: false, apart }));
  }

  /** The backend that allocates on a device. */
  backendOn(device: Device): Backend {
    return this.backends[device === 'cpu' ? this.backends.length - 1 : device] as Backend;
  }

  /** Which backends run an op of a weight. */
  runners(weight: Weight, op: WeightOp): string {
    return this.backends.map((backend) => Number(this.tried.supports(backend, weight, op))).join('');
  }

  gpuBuffer(device: number): Buffer {
    return this.gpuBuffers[device] as Buffer;
  }

  /** Where a weight of a device is used for what its name says. */
  bufferFor(weight: Weight, device: Device, named: NamedWeight): Buffer {
    return this.buffers.of(weight, device, named);
  }

  bufferOn(device: Device, weight: Weight, op: WeightOp): Buffer {
    if (device !== 'cpu' && this.supports(device, weight, op)) return this.gpuBuffer(device);
    return this.hostBufferOf(weight, op);
  }

  private supports(device: number, weight: Weight, op: WeightOp): boolean {
    return this.tried.supports(this.backendOn(device), weight, op);
  }

  /** `make_cpu_buft_list` (`src/llama-model.cpp`): a GPU's host buffer comes before repacking. */
  private hostBufferOf(weight: Weight, op: WeightOp): Buffer {
    if (this.hostBuffers && this.supports(0, weight, op)) return CPU_PINNED;
    return repacks(this.launch, op, weight) ? CPU_REPACKED : CPU;
  }

  /** What a copy of a tensor takes on a device. */
  copiedBytes({ type, dims }: Weight, device: Device): number {
    const { allocSize, alignment } = this.backendOn(device);
    const ne: Four = [dims[0] ?? 1, dims[1] ?? 1, dims[2] ?? 1, dims[3] ?? 1];
    return pad(allocSize(new Tensor(type, ne, contiguousStrides(type, ne))), alignment);
  }

  /** The same of one that its name tells. */
  copiedBytesFor(weight: Weight, device: Device, named: NamedWeight): number {
    return this.copies.of(weight, device, named);
  }

  isMapped(tensor: Pick<GgufTensor, 'name' | 'bytes'>, buffer: Buffer): boolean {
    if (buffer.repacked || (buffer.device !== 'cpu' && !this.gpuMaps)) return false;
    return this.mapsFiles || this.isLazy(tensor);
  }

  /** `llama_model_loader::lazy_read::add`: mapped whatever `--no-mmap` says, apart from the other weights. */
  isLazy({ name, bytes }: Pick<GgufTensor, 'name' | 'bytes'>): boolean {
    return name === 'per_layer_token_embd.weight' && READ_LAZILY.has(this.shape.architecture) && bytes > LAZY_MIN_BYTES;
  }
}

/** `TENSOR_READ_LAZY`: their tables of rows that few tokens need. */
const READ_LAZILY = new Set(['gemma4', 'qwen4exp']);
/** Weights above this size are read on demand where the architecture allows it. */
const LAZY_MIN_BYTES = 4 * 2 ** 30;
