import { CheckIncompleteError } from '../../errors.js';
import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import { type CacheTensor, PlannedAddresses } from '../caches/space.js';
import type { TargetContext } from '../context/context-params.js';
import { contiguousStrides, type Four, Tensor } from '../ggml/tensor.js';
import type { Placement } from '../weights/placement.js';
import { layerOf, nameInBlock } from '../weights/tensor-position.js';
import { unreadWeights } from './unread-weights.js';

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
  private readonly weights = new Map<string, Tensor>();
  private readonly namesOf = new Map<Tensor, string>();
  private readonly caches = new Map<CacheTensor, Tensor>();
  private readonly addresses: PlannedAddresses;
  private readonly unread: readonly string[] | undefined;

  constructor(private readonly loaded: LoadedInputs) {
    this.hparams = loaded.shape.hparams;
    this.unread = unreadWeights(loaded.shape.architecture);
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
    return this.tensorOf(name, name);
  }

  layerWeight(layer: number, name: string): Tensor | null {
    const full = this.blockName(layer, name);
    return this.weights.get(full) ?? this.load(full, full, undefined, this.hparams.blockOf[layer]);
  }

  need(name: string): Tensor {
    const tensor = this.weight(name);
    if (!tensor) throw missing(name);
    return tensor;
  }

  layerNeed(layer: number, name: string): Tensor {
    const tensor = this.layerWeight(layer, name);
    if (!tensor) throw missing(this.blockName(layer, name));
    return tensor;
  }

  private blockName(layer: number, name: string): string {
    const block = this.hparams.blockOf[layer] as number;
    return (blockNames(this.blocks, name)[block] ??= `${this.blocks}.${block}.${name}`);
  }

  /** A tensor that each layer loads for itself, such as rope_freqs. */
  sharedWeight(layer: number, name: string): Tensor | null {
    const block = this.hparams.blockOf[layer] as number;
    return this.tensorOf(`${name} of ${this.loaded.placement.layerDevice(block)}`, name, block);
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
    if (this.namesOf.size < this.weights.size) for (const [name, known] of this.weights) this.namesOf.set(known, name);
    return this.namesOf.get(weight);
  }

  private tensorOf(key: string, name: string, layer?: number): Tensor | null {
    return this.weights.get(key) ?? this.load(key, name, layer, layerOf(name));
  }

  private load(key: string, name: string, position: number | undefined, block = -1): Tensor | null {
    const { shape, placement } = this.loaded;
    const tensor = shape.tensors.get(name);
    if (!tensor || this.unread?.includes(nameInBlock(name))) return null;
    const created = makeExternal(tensor.type, four(tensor.dims), placement.bufferOf(tensor, position));
    created.layer = block;
    this.weights.set(key, created);
    return created;
  }
}

/** Names of one weight in each block, made once for all graphs: they are looked up more often than anything else. */
const BLOCK_NAMES = new Map<string, Map<string, string[]>>();

function blockNames(blocks: string, name: string): string[] {
  let ofBlocks = BLOCK_NAMES.get(blocks);
  if (!ofBlocks) BLOCK_NAMES.set(blocks, (ofBlocks = new Map()));
  let names = ofBlocks.get(name);
  if (!names) ofBlocks.set(name, (names = []));
  return names;
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
