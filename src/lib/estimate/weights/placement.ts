import type { GgufTensor } from '../../gguf/header.js';
import type { ModelShape } from '../../model/model-shape.js';
import { llamaCpp, type Switches } from '../../runtime/llama-cpp.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { backendsFor, GPU_BACKENDS } from '../launch-backends.js';
import { gpuOfLayer, type GpuPlan, planGpus } from '../devices.js';
import type { Backend } from '../ggml/backend.js';
import { type Device, type DeviceBytes, DeviceTally } from '../ggml/device.js';
import { type Buffer, contiguousStrides, type Four, pad, Tensor } from '../ggml/tensor.js';
import { RangeList } from './mapped-ranges.js';
import { repacks } from './repacked-types.js';
import { INITIAL_STATE, type NamedWeight, namedWeights, type Position } from './tensor-position.js';
import { FoundByKind, TriedWeights } from './tried-weights.js';
import { isLoadedUnused } from './unused-blocks.js';
import { type WeightOverride, weightOverrides } from './weight-overrides.js';
import type { WeightOp } from './weight-op.js';

const CPU: Buffer = { device: 'cpu', usage: 'weights', repacked: false };
/** A GPU's host buffer; in the host's mapping it has a range of its own. */
const CPU_PINNED: Buffer = { device: 'cpu', usage: 'weights', repacked: false };
const CPU_REPACKED: Buffer = { device: 'cpu', usage: 'weights', repacked: true };

export interface WeightBytes {
  /** File-backed and read again: what the GPU maps, all of it held resident, and what the host uses beside that. */
  readonly mapped: DeviceBytes;
  /** File-backed pages of the host that nothing reads once loaded: originals of copies, and what another device holds. */
  readonly unread: number;
  /** All that the host's own mapping spans, the GPU's included where they overlap. */
  readonly hostRange: number;
  /** Anonymous copies. */
  readonly copied: DeviceBytes;
}

/** A weight that is loaded, and the buffer that it is used in. */
interface LoadedWeight {
  readonly tensor: GgufTensor;
  readonly buffer: Buffer;
  readonly named: NamedWeight;
}

/** Working out where a thousand weights go takes longer than the rest of an estimate. */
const PLACEMENTS = new WeakMap<ModelShape, Map<string, Placement>>();

/** Where llama.cpp puts each weight: `load_tensors` (`src/llama-model.cpp`) and `create_tensor` (`src/llama-model-loader.cpp`). */
export class Placement {
  readonly nGpuLayers: number;
  readonly hasGpu: boolean;
  readonly gpus: GpuPlan;
  /** In order of priority: the GPUs, others, the CPU. */
  readonly backends: readonly Backend[];
  /** Weights are used where the file is mapped; discrete GPUs copy them. */
  private readonly gpuMaps: boolean;
  private readonly mapsFiles: boolean;
  private readonly hostBuffers: boolean;
  private readonly firstGpuLayer: number;
  private readonly llama: Switches;
  private readonly gpuBuffers: readonly Buffer[];
  private readonly overrides: readonly WeightOverride[];
  /** Blocks that predict ahead are loaded too: `load_mtp`. */
  private readonly loadsNextn: boolean;

  private weights: WeightBytes | undefined;
  private least: { readonly all: number; readonly onHost: number } | undefined;
  private known: readonly LoadedWeight[] | undefined;
  /** Where weights are used for what their names say. */
  private readonly buffers = new FoundByKind((weight, device, { op }) => this.bufferOn(device, weight, op));
  /** What copies of weights take. */
  private readonly copies = new FoundByKind((weight, device) => this.copiedBytes(weight, device));
  private readonly layerDevices: readonly Device[];
  private readonly named: (name: string) => NamedWeight;
  private readonly tried: TriedWeights;

  /**
   * The placement for a launch, shared by all launches of a model that place its weights alike.
   * @param apart where the weights are loaded when the graph is planned, not only sized
   */
  static of(shape: ModelShape, launch: LaunchOptions, apart = false): Placement {
    const { accelerator, cpuArch, gpuLayers, mmap, mlock, repack, noHost, unifiedMemory } = launch;
    const { tensorOverrides, cpuMoeLayers } = launch;
    const gpus = planGpus(launch);
    const { name } = llamaCpp(launch.llamaCpp);
    const loadsNextn = launch.specTypes?.includes('draft-mtp') === true;
    const key = JSON.stringify([
      accelerator,
      cpuArch,
      gpuLayers,
      mmap,
      mlock,
      repack,
      noHost,
      unifiedMemory,
      // In an object, what is not set is left out, and all layers are null.
      { tensorOverrides, cpuMoeLayers },
      gpus,
      name,
      loadsNextn,
      apart,
    ]);
    const known = PLACEMENTS.get(shape) ?? new Map<string, Placement>();
    PLACEMENTS.set(shape, known);
    const placement = known.get(key) ?? new Placement(shape, launch, gpus, apart);
    known.set(key, placement);
    return placement;
  }

  private constructor(
    private readonly shape: ModelShape,
    private readonly launch: LaunchOptions,
    gpus: GpuPlan,
    apart: boolean,
  ) {
    const { nLayerAll } = shape.hparams;
    const { accelerator } = launch;
    this.named = namedWeights(shape);
    this.tried = new TriedWeights(shape.hparams);
    this.llama = llamaCpp(launch.llamaCpp).switches;
    this.gpus = gpus;
    this.hasGpu = gpus.used.length > 0;
    this.backends = backendsFor(accelerator, gpus.used.length, this.llama);
    // `mmap_support` of integrated GPUs: in the automatic load mode files are read, not mapped.
    this.mapsFiles = launch.mmap ?? !(this.hasGpu && launch.unifiedMemory === true && accelerator !== 'metal');
    this.gpuMaps = accelerator !== 'cpu' && GPU_BACKENDS[accelerator].mapsWeights;
    this.hostBuffers =
      accelerator !== 'cpu' && this.hasGpu && launch.noHost !== true && GPU_BACKENDS[accelerator].hostBuffers;
    this.loadsNextn = launch.specTypes?.includes('draft-mtp') === true || shape.hparams.nLayer === 0;
    this.overrides = weightOverrides(launch, gpus);
    this.gpuBuffers = gpus.used.map((_, device) => ({ device, usage: 'weights', repacked: false, apart }));
    const asked = launch.gpuLayers ?? -1;
    this.nGpuLayers = !this.hasGpu ? 0 : asked < 0 ? nLayerAll + 1 : asked;
    this.firstGpuLayer = Math.max(nLayerAll + 1 - this.nGpuLayers, 0);
    this.layerDevices = Array.from({ length: nLayerAll + 1 }, (_, layer) => this.deviceOf(layer));
  }

  /** Layers in use on the GPU, the output head counted as one. */
  get gpuLayers(): number {
    return Math.min(this.nGpuLayers, this.shape.hparams.nLayerAll + 1);
  }

  get fullOffload(): boolean {
    return this.nGpuLayers > this.shape.hparams.nLayerAll;
  }

  /** Some weights are told where to go: `has_tensor_overrides`. */
  get hasOverrides(): boolean {
    return this.overrides.length > 0;
  }

  /** A GPU's part of the layers. */
  shareOf(gpu: Exclude<Device, 'cpu'>): number {
    const { splitPoints } = this.gpus;
    return (splitPoints[gpu] ?? 0) - (splitPoints[gpu - 1] ?? 0);
  }

  layerDevice(layer: number): Device {
    return this.layerDevices[layer] ?? this.deviceOf(layer);
  }

  private deviceOf(layer: number): Device {
    const { nLayerAll } = this.shape.hparams;
    if (!this.hasGpu || layer < this.firstGpuLayer) return 'cpu';
    return gpuOfLayer(this.gpus, layer - this.firstGpuLayer, Math.min(this.nGpuLayers, nLayerAll + 1));
  }

  /** The backend that allocates on a device. */
  backendOn(device: Device): Backend {
    return this.backends[device === 'cpu' ? this.backends.length - 1 : device] as Backend;
  }

  /** What a plan depends on beside where each weight and each layer is: the same text where that is the same. */
  get devices(): string {
    const { accelerator, cpuArch } = this.launch;
    const { name } = llamaCpp(this.launch.llamaCpp);
    return JSON.stringify([accelerator, cpuArch, name, this.gpus, this.gpuLayers, this.hasOverrides, this.tensorCount]);
  }

  /** Which backends run an op of a weight. */
  runners(weight: Pick<GgufTensor, 'dims' | 'type'>, op: WeightOp): string {
    return this.backends.map((backend) => Number(this.tried.supports(backend, weight, op))).join('');
  }

  /** What a weight is used for, by its name. */
  opOf(name: string): WeightOp {
    return this.named(name).op;
  }

  /** The buffer of a weight used at `position`; unset = where its name says. */
  bufferOf(tensor: Pick<GgufTensor, 'name' | 'dims' | 'type'>, position?: Position, as?: WeightOp): Buffer {
    const named = this.named(tensor.name);
    const inBlock = this.llama.initialStateInBlock && tensor.name === INITIAL_STATE;
    const at = position ?? (inBlock ? 0 : named.position);
    const told = this.hasOverrides ? this.toldDevice(tensor.name) : undefined;
    if (told !== undefined && told !== 'cpu') return this.gpuBuffers[told] as Buffer;
    const device = at === 'input' ? 'cpu' : (told ?? this.layerDevice(at));
    return as === undefined ? this.buffers.of(tensor, device, named) : this.bufferOn(device, tensor, as);
  }

  private toldDevice(name: string): Device | undefined {
    return this.overrides.find(({ pattern }) => pattern.test(name))?.device;
  }

  private bufferOn(device: Device, weight: Pick<GgufTensor, 'dims' | 'type'>, op: WeightOp): Buffer {
    if (device !== 'cpu' && this.supports(device, weight, op)) return this.gpuBuffers[device] as Buffer;
    return this.hostBufferOf(weight, op);
  }

  private supports(device: number, weight: Pick<GgufTensor, 'dims' | 'type'>, op: WeightOp): boolean {
    return this.tried.supports(this.backendOn(device), weight, op);
  }

  /** `make_cpu_buft_list` (`src/llama-model.cpp`): a GPU's host buffer comes before repacking. */
  private hostBufferOf(tensor: Pick<GgufTensor, 'dims' | 'type'>, op: WeightOp): Buffer {
    if (this.hostBuffers && this.supports(0, tensor, op)) return CPU_PINNED;
    return repacks(this.launch, op, tensor) ? CPU_REPACKED : CPU;
  }

  /** Which weights are loaded, and where; one that is used on two devices appears twice, one after the other. */
  loaded(): readonly LoadedWeight[] {
    return (this.known ??= this.findLoaded());
  }

  private findLoaded(): LoadedWeight[] {
    const found: LoadedWeight[] = [];
    const { nLayerAll } = this.shape.hparams;
    const nLayer = this.loadsNextn ? nLayerAll : this.shape.hparams.nLayer;
    for (const tensor of this.shape.tensors.values()) {
      const named = this.named(tensor.name);
      const { isLoaded, layer, isPerLayer } = named;
      if (!isLoaded) continue;
      if (layer !== undefined && layer >= nLayer && !isLoadedUnused(tensor.name, this.shape.architecture)) continue;
      if (isPerLayer) {
        for (const buffer of this.buffersOfLayers(tensor, nLayer)) found.push({ tensor, buffer, named });
        continue;
      }
      const buffer = this.bufferOf(tensor);
      found.push({ tensor, buffer, named });
      const head = this.tiedHead(tensor);
      if (head !== undefined && (head !== buffer || this.loadsHeadFirst())) found.push({ tensor, buffer: head, named });
    }
    return found;
  }

  /** Of a tensor that every layer loads for itself. */
  private buffersOfLayers(tensor: GgufTensor, nLayer: number): ReadonlySet<Buffer> {
    const { isSwa, blockOf } = this.shape.hparams;
    const used = new Set<Buffer>();
    for (let layer = 0; layer < nLayer; layer++) {
      if (blockOf[layer] !== layer) continue;
      if (FACTORS_OF_FULL_LAYERS.has(this.shape.architecture) && isSwa[layer]) continue;
      used.add(this.bufferOf(tensor, layer));
    }
    return used;
  }

  private loadsHeadFirst(): boolean {
    return HEAD_LOADED_FIRST.has(this.shape.architecture) && !this.llama.embeddingLoadedFirst;
  }

  /** Weights as llama.cpp counts them, those on two devices twice. */
  get tensorCount(): number {
    return this.loaded().length;
  }

  /** Where a token embedding is used that is the output head, too. */
  tiedHead(tensor: GgufTensor): Buffer | undefined {
    if (tensor.name !== 'token_embd.weight') return undefined;
    const { tensors, architecture, hparams } = this.shape;
    const isTied = !tensors.has('output.weight') && !HEADLESS.has(architecture);
    return isTied ? this.bufferOf(tensor, hparams.nLayerAll, 'MUL_MAT') : undefined;
  }

  bytes(): WeightBytes {
    return (this.weights ??= this.sumWeights());
  }

  private sumWeights(): WeightBytes {
    const ranges = { gpu: new RangeList(), cpu: new RangeList() };
    // What the host keeps: one lock for each file grows from its first mapped tensor to the last (`llama_mlock::grow_to` in `load_all_data`).
    const kept = new RangeList();
    const copied = new DeviceTally();
    for (const { tensor, buffer, named } of this.loaded()) {
      const { device } = buffer;
      if (!this.isMapped(tensor, buffer)) {
        copied.add(device, this.copies.of(tensor, device, named));
        continue;
      }
      const alone = this.llama.ownRanges || this.isLazy(tensor);
      ranges[device === 'cpu' ? 'cpu' : 'gpu'].include(tensor, buffer, alone);
      if (this.launch.mlock) kept.include(tensor, CPU, this.isLazy(tensor));
      else if (device === 'cpu') kept.include(tensor, buffer, true);
    }
    const gpu = ranges.gpu.bytes();
    const cpu = ranges.gpu.unionBytes(kept) - gpu;
    return {
      mapped: { gpus: gpu > 0 ? [gpu] : [], cpu },
      unread: Math.max(0, ranges.gpu.unionBytes(ranges.cpu) - gpu - cpu),
      hostRange: ranges.cpu.bytes(),
      copied,
    };
  }

  /** What weights hold however they are read, each counted once, and what of that the host holds. */
  leastBytes(): { readonly all: number; readonly onHost: number } {
    return (this.least ??= this.sumLeast());
  }

  private sumLeast(): { all: number; onHost: number } {
    const sum = { all: 0, onHost: 0 };
    let before: GgufTensor | undefined;
    for (const { tensor, buffer } of this.loaded()) {
      if (buffer.device === 'cpu') sum.onHost += tensor.bytes;
      if (tensor !== before) sum.all += tensor.bytes;
      before = tensor;
    }
    return sum;
  }

  /** What a copy of a tensor takes on a device. */
  copiedBytes({ type, dims }: Pick<GgufTensor, 'type' | 'dims'>, device: Device): number {
    const { allocSize, alignment } = this.backendOn(device);
    const ne: Four = [dims[0] ?? 1, dims[1] ?? 1, dims[2] ?? 1, dims[3] ?? 1];
    return pad(allocSize(new Tensor(type, ne, contiguousStrides(type, ne))), alignment);
  }

  private isMapped(tensor: Pick<GgufTensor, 'name' | 'bytes'>, buffer: Buffer): boolean {
    if (buffer.repacked || (buffer.device !== 'cpu' && !this.gpuMaps)) return false;
    return this.mapsFiles || this.isLazy(tensor);
  }

  /** `llama_model_loader::lazy_read::add`: mapped whatever `--no-mmap` says, apart from the other weights. */
  private isLazy({ name, bytes }: Pick<GgufTensor, 'name' | 'bytes'>): boolean {
    return name === 'per_layer_token_embd.weight' && READ_LAZILY.has(this.shape.architecture) && bytes > LAZY_MIN_BYTES;
  }
}

/** Encoders have no output head, tied or not; BitNet's head is the embedding where that lies. */
const HEADLESS = new Set([
  'bert',
  'nomic-bert',
  'nomic-bert-moe',
  'jina-bert-v2',
  'jina-bert-v3',
  'modern-bert',
  'neo-bert',
  'eurobert',
  'bitnet',
]);
/** Layers with a window rotate without factors. */
const FACTORS_OF_FULL_LAYERS: ReadonlySet<string> = new Set(['gemma4', 'gemma4-assistant']);
/** These load a tied head before the embedding and so keep both, even in one buffer. */
const HEAD_LOADED_FIRST = new Set(['gemma3n', 'gemma4']);
/** `TENSOR_READ_LAZY`: their tables of rows that few tokens need. */
const READ_LAZILY = new Set(['gemma4', 'qwen4exp']);
/** Weights above this size are read on demand where the architecture allows it. */
const LAZY_MIN_BYTES = 4 * 2 ** 30;
