import { CheckIncompleteError } from '../../../errors.js';
import type { Hparams } from '../../../model/hparams.js';
import type { ModelShape } from '../../../model/model-shape.js';
import { type CacheTensor, PlannedAddresses } from '../../caches/space.js';
import type { TargetContext } from '../../context/context-params.js';
import { contiguousStrides, type Four, Tensor } from '../../ggml/tensor.js';
import type { Device } from '../../ggml/device.js';
import type { Placement } from '../../weights/placement.js';
import { type FileWeight, WeightTable } from './weight-table.js';

export interface LoadedInputs {
  readonly shape: ModelShape;
  readonly placement: Placement;
  /** What a draft reads of the model that it drafts for. */
  readonly target: TargetContext | null;
  /** Layers between those that are planned. */
  readonly leftOut: ReadonlySet<number>;
}

/** What is in memory before a graph runs, a tensor of the graph for each: weights, by their names in the file, and caches. */
export class LoadedTensors {
  readonly hparams: Readonly<Hparams>;
  /** Prefix of layers' weights; T5 names those of encoder and decoder apart. */
  blocks = 'blk';
  private readonly table: WeightTable;
  /** Several layers have the weights of one block, which are no layer's own then. */
  private readonly sharesBlocks: boolean;
  private readonly weights = new Map<FileWeight, Tensor>();
  /** Of weights that each device has a copy of: by device, then by weight. */
  private readonly shared = new Map<Device, Map<FileWeight, Tensor>>();
  private readonly namesOf = new Map<Tensor, string>();
  private readonly caches = new Map<CacheTensor, Tensor>();
  private readonly addresses: PlannedAddresses;

  constructor(private readonly loaded: LoadedInputs) {
    this.hparams = loaded.shape.hparams;
    const { blockOf } = this.hparams;
    this.sharesBlocks = blockOf.at(-1) !== blockOf.length - 1;
    this.table = WeightTable.of(loaded.shape);
    this.addresses = new PlannedAddresses(loaded.target ? new Set() : loaded.leftOut);
  }

  get shape(): ModelShape {
    return this.loaded.shape;
  }

  get target(): TargetContext | null {
    return this.loaded.target;
  }

  /** A weight, or null where the file has none of that name. */
  weight(name: string): Tensor | null {
    const weight = this.table.get(name);
    return weight && (this.weights.get(weight) ?? this.load(weight, this.weights));
  }

  layerWeight(layer: number, name: string): Tensor | null {
    const weight = this.table.inBlock(this.blocks, this.hparams.blockOf[layer] as number, name);
    return weight && (this.weights.get(weight) ?? this.load(weight, this.weights));
  }

  need(name: string): Tensor {
    const tensor = this.weight(name);
    if (!tensor) throw missing(name);
    return tensor;
  }

  layerNeed(layer: number, name: string): Tensor {
    const tensor = this.layerWeight(layer, name);
    if (!tensor) throw missing(`${this.blocks}.${this.hparams.blockOf[layer]}.${name}`);
    return tensor;
  }

  /** A tensor that each layer loads for itself, such as rope_freqs. */
  sharedWeight(layer: number, name: string): Tensor | null {
    const weight = this.table.get(name);
    if (!weight) return null;
    const block = this.hparams.blockOf[layer] as number;
    const device = this.loaded.placement.layerDevice(block);
    let known = this.shared.get(device);
    if (!known) this.shared.set(device, (known = new Map()));
    return known.get(weight) ?? this.load(weight, known, block);
  }

  /** `model.output`, or the token embedding a second time; a draft without either has its target's. */
  outputHead(): Tensor {
    const own = this.weight('output.weight');
    if (own) return own;
    const { placement, shape } = this.loaded;
    if (this.target && !shape.tensors.has('token_embd.weight')) return targetsHead(this.target);
    const tensor = shape.tensors.get('token_embd.weight');
    if (!tensor) throw missing('token_embd.weight');
    const buffer = placement.bufferOf(tensor, shape.hparams.nLayerAll, 'MUL_MAT');
    const embedding = this.need('token_embd.weight');
    return embedding.buffer === buffer ? embedding : makeExternal(tensor.type, four(tensor.dims), buffer);
  }

  cacheTensor(cache: CacheTensor): Tensor {
    let tensor = this.caches.get(cache);
    if (!tensor) {
      tensor = makeExternal(cache.type, cache.ne, cache.buffer);
      tensor.address = this.addresses.of(cache);
      // What chooses Granite Switch's adapters is cached behind the last layer, and read before the first.
      if (cache.layer < this.hparams.nLayer) tensor.layer = cache.layer;
      this.caches.set(cache, tensor);
    }
    return tensor;
  }

  /** A draft's token embedding, its own or its target's. */
  tokenTable(): Tensor {
    const own = this.weight('token_embd.weight');
    if (own) return own;
    return this.target ? targetsTable(this.target) : this.need('token_embd.weight');
  }

  /** The name of a weight in the file. */
  protected nameOf(weight: Tensor): string | undefined {
    if (this.namesOf.size < this.weights.size)
      for (const [{ tensor }, known] of this.weights) this.namesOf.set(known, tensor.name);
    return this.namesOf.get(weight);
  }

  private load(weight: FileWeight, among: Map<FileWeight, Tensor>, position?: number): Tensor {
    const { tensor, block, ne, nb } = weight;
    const created = new Tensor(tensor.type, ne, nb);
    created.buffer = this.loaded.placement.bufferOf(tensor, position);
    if (!this.sharesBlocks) created.layer = block;
    among.set(weight, created);
    return created;
  }
}

function targetsHead({ shape, placement }: TargetContext): Tensor {
  const tensor = shape.tensors.get('output.weight') ?? shape.tensors.get('token_embd.weight');
  if (!tensor) throw missing('output.weight');
  return makeExternal(tensor.type, four(tensor.dims), placement.bufferOf(tensor, shape.hparams.nLayerAll, 'MUL_MAT'));
}

/** `model_other->tok_embd`. */
export function targetsTable({ shape, placement }: TargetContext): Tensor {
  const tensor = shape.tensors.get('token_embd.weight');
  if (!tensor) throw missing('token_embd.weight');
  return makeExternal(tensor.type, four(tensor.dims), placement.bufferOf(tensor));
}

function four([ne0 = 1, ne1 = 1, ne2 = 1, ne3 = 1]: readonly number[]): Four {
  return [ne0, ne1, ne2, ne3];
}

function makeExternal(type: Tensor['type'], ne: Four, buffer: Tensor['buffer']): Tensor {
  const tensor = new Tensor(type, ne, contiguousStrides(type, ne));
  tensor.buffer = buffer;
  return tensor;
}

function missing(name: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'MODEL_TENSOR_MISSING',
    `The file lacks the tensor ${JSON.stringify(name)}, so llama.cpp would not load it; use a complete GGUF file that a current llama.cpp converted.`,
  );
}
