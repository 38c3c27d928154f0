import type { GgufTensor } from '../../gguf/header.js';
import { Kept } from '../../kept.js';
import type { ModelShape } from '../../model/model-shape.js';
import { llamaCpp } from '../../runtime/llama-cpp.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { gpuOfLayer, type GpuPlan, planGpus } from '../devices.js';
import type { Backend } from '../ggml/backend.js';
import type { Device, DeviceBytes } from '../ggml/device.js';
import type { Buffer } from '../ggml/tensor.js';
import { type FileWeights, type LoadedWeight, PlacedWeights, WeightSums } from './placed-weights.js';
import { INITIAL_STATE, type NamedWeight, namedWeight, namedWeights, type Position } from './tensor-position.js';
import { isLoadedUnused } from './unused-blocks.js';
import { WeightLoader } from './weight-loader.js';
import { type WeightOverride, weightOverrides } from './weight-overrides.js';
import type { WeightOp } from './weight-op.js';

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

/** Working out where a thousand weights go takes longer than the rest of an estimate. */
const PLACEMENTS = new Kept<ModelShape, Placement>();

/** Of each model, weights by block, and those of none. */
const BY_BLOCK = new WeakMap<ModelShape, ReadonlyMap<number | undefined, FileWeights>>();

/** A block's weights lie alike wherever they lie on the same device, and its experts where they do. */
const BLOCKS = new WeakMap<WeightLoader, Map<string, PlacedWeights>>();

/** Where llama.cpp puts each weight: `load_tensors` (`src/llama-model.cpp`) and `create_tensor` (`src/llama-model-loader.cpp`). */
export class Placement {
  readonly nGpuLayers: number;
  readonly hasGpu: boolean;
  readonly gpus: GpuPlan;
  private readonly firstGpuLayer: number;
  private readonly loader: WeightLoader;
  private readonly overrides: readonly WeightOverride[];
  /** Blocks that predict ahead are loaded too: `load_mtp`. */
  private readonly loadsNextn: boolean;
  private readonly layerDevices: readonly Device[];
  private known: readonly PlacedWeights[] | undefined;
  private weights: WeightBytes | undefined;
  private least: { readonly all: number; readonly onHost: number } | undefined;

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
    return PLACEMENTS.of(shape, key, () => new Placement(shape, launch, gpus, apart));
  }

  private constructor(
    private readonly shape: ModelShape,
    private readonly launch: LaunchOptions,
    gpus: GpuPlan,
    apart: boolean,
  ) {
    const { nLayerAll } = shape.hparams;
    this.gpus = gpus;
    this.hasGpu = gpus.used.length > 0;
    this.loader = WeightLoader.of(shape, launch, gpus, apart);
    this.loadsNextn = launch.specTypes?.includes('draft-mtp') === true || shape.hparams.nLayer === 0;
    this.overrides = weightOverrides(launch, gpus);
    const asked = launch.gpuLayers ?? -1;
    this.nGpuLayers = !this.hasGpu ? 0 : asked < 0 ? nLayerAll + 1 : asked;
    this.firstGpuLayer = Math.max(nLayerAll + 1 - this.nGpuLayers, 0);
    this.layerDevices = Array.from({ length: nLayerAll + 1 }, (_, layer) => this.deviceOf(layer));
  }

  /** In order of priority: the GPUs, others, the CPU. */
  get backends(): readonly Backend[] {
    return this.loader.backends;
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
    return this.loader.backendOn(device);
  }

  /** What a plan depends on beside where each weight and each layer is: the same text where that is the same. */
  get devices(): string {
    const { accelerator, cpuArch } = this.launch;
    const { name } = llamaCpp(this.launch.llamaCpp);
    return JSON.stringify([accelerator, cpuArch, name, this.gpus, this.gpuLayers, this.hasOverrides, this.tensorCount]);
  }

  /** Which backends run an op of a weight. */
  runners(weight: Pick<GgufTensor, 'dims' | 'type'>, op: WeightOp): string {
    return this.loader.runners(weight, op);
  }

  /** The buffer of a weight used at `position`; unset = where its name says. */
  bufferOf(tensor: Pick<GgufTensor, 'name' | 'dims' | 'type'>, position?: Position, as?: WeightOp): Buffer {
    return this.bufferOfNamed(tensor, namedWeight(tensor, this.shape), position, as);
  }

  bufferOfNamed(
    tensor: Pick<GgufTensor, 'name' | 'dims' | 'type'>,
    named: NamedWeight,
    position: Position = named.position,
    as?: WeightOp,
  ): Buffer {
    const told = this.overrides.length > 0 ? this.toldDevice(tensor.name) : undefined;
    if (told !== undefined && told !== 'cpu') return this.loader.gpuBuffer(told);
    const device = position === 'input' ? this.inputDevice(tensor.name) : (told ?? this.layerDevice(position));
    return as === undefined ? this.loader.bufferFor(tensor, device, named) : this.loader.bufferOn(device, tensor, as);
  }

  private inputDevice(name: string): Device {
    return this.loader.llama.initialStateInBlock && name === INITIAL_STATE ? this.layerDevice(0) : 'cpu';
  }

  private toldDevice(name: string): Device | undefined {
    return this.overrides.find(({ pattern }) => pattern.test(name))?.device;
  }

  /** Weights by block, and those of none: which are loaded, and where; one that is used on two devices appears twice, one after the other. */
  parts(): readonly PlacedWeights[] {
    return (this.known ??= this.findParts());
  }

  /** Most models are placed once in a quantization: only those that are placed again are cut into blocks, which most placements share. */
  private findParts(): PlacedWeights[] {
    const { tensorOverrides, cpuMoeLayers = 0 } = this.launch;
    const known = BLOCKS.get(this.loader);
    if (known === undefined) BLOCKS.set(this.loader, new Map());
    // Where an override sends a weight, its own name says.
    if (known === undefined || tensorOverrides !== undefined)
      return [this.placed({ tensors: [...this.shape.tensors.values()], named: namedWeights(this.shape) })];
    return Array.from(this.weightsByBlock(), ([layer, weights]) => {
      if (layer === undefined) return this.placed(weights);
      const key = `${layer} ${this.layerDevice(layer)} ${layer < cpuMoeLayers}`;
      const placed = known.get(key) ?? this.placed(weights);
      known.set(key, placed);
      return placed;
    });
  }

  private weightsByBlock(): ReadonlyMap<number | undefined, FileWeights> {
    const before = BY_BLOCK.get(this.shape);
    if (before !== undefined) return before;
    const found = new Map<number | undefined, { tensors: GgufTensor[]; named: NamedWeight[]; indices: number[] }>();
    const all = namedWeights(this.shape);
    let index = 0;
    for (const tensor of this.shape.tensors.values()) {
      const named = all[index] as NamedWeight;
      let weights = found.get(named.layer);
      if (weights === undefined) found.set(named.layer, (weights = { tensors: [], named: [], indices: [] }));
      weights.tensors.push(tensor);
      weights.named.push(named);
      weights.indices.push(index++);
    }
    BY_BLOCK.set(this.shape, found);
    return found;
  }

  private placed(weights: FileWeights): PlacedWeights {
    const loaded: LoadedWeight[] = [];
    const { nLayerAll } = this.shape.hparams;
    const nLayer = this.loadsNextn ? nLayerAll : this.shape.hparams.nLayer;
    for (let i = 0; i < weights.tensors.length; i++) {
      const tensor = weights.tensors[i] as GgufTensor;
      const named = weights.named[i] as NamedWeight;
      const { isLoaded, layer, isPerLayer } = named;
      if (!isLoaded) continue;
      if (layer !== undefined && layer >= nLayer && !isLoadedUnused(tensor.name, this.shape.architecture)) continue;
      if (isPerLayer) {
        for (const buffer of this.buffersOfLayers(tensor, nLayer)) loaded.push({ tensor, buffer, named });
        continue;
      }
      const buffer = this.bufferOfNamed(tensor, named);
      loaded.push({ tensor, buffer, named });
      const head = this.tiedHead(tensor);
      if (head !== undefined && (head !== buffer || this.loadsHeadFirst()))
        loaded.push({ tensor, buffer: head, named });
    }
    return new PlacedWeights(weights, loaded, this.loader);
  }

  /** Weights that are loaded, in no order but that those of one block stand together. */
  *loaded(): Generator<LoadedWeight> {
    for (const { loaded } of this.parts()) yield* loaded;
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
    const { embeddingLoadedFirst } = this.loader.llama;
    return HEAD_LOADED_FIRST.has(this.shape.architecture) && !embeddingLoadedFirst;
  }

  /** Weights as llama.cpp counts them, those on two devices twice. */
  get tensorCount(): number {
    return this.parts().reduce((sum, { loaded }) => sum + loaded.length, 0);
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
    const sums = new WeightSums();
    for (const { sums: ofPart } of this.parts()) sums.include(ofPart);
    const { ranges, kept, copied } = sums;
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
    for (const { least } of this.parts()) {
      sum.all += least.all;
      sum.onHost += least.onHost;
    }
    return sum;
  }

  /** What a copy of a tensor takes on a device. */
  copiedBytes(weight: Pick<GgufTensor, 'type' | 'dims'>, device: Device): number {
    return this.loader.copiedBytes(weight, device);
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
