import type { GgufTensor } from '../../../gguf/header.js';
import type { ModelShape } from '../../../model/model-shape.js';
import { contiguousStrides, type Four } from '../../ggml/tensor.js';
import { layerOf, nameInBlock } from '../../../model/block-name.js';
import { unreadWeights } from './unread-weights.js';

/** A weight of a file, as every graph has it. */
export interface FileWeight {
  readonly tensor: GgufTensor;
  /** The block that its name puts it in, -1 = none. */
  readonly block: number;
  readonly ne: Four;
  readonly nb: Four;
}

const TABLES = new WeakMap<ModelShape, WeightTable>();

/** A model's weights by their names, put together once for all its graphs: those look up nothing more often. */
export class WeightTable {
  private readonly named = new Map<string, FileWeight | null>();
  /** By what blocks are called, the name within one, and its number. */
  private readonly inBlocks = new Map<string, Map<string, (FileWeight | null)[]>>();

  static of(shape: ModelShape): WeightTable {
    let table = TABLES.get(shape);
    if (!table) TABLES.set(shape, (table = new WeightTable(shape)));
    return table;
  }

  private readonly unread: readonly string[];

  private constructor(private readonly shape: ModelShape) {
    this.unread = unreadWeights(shape.architecture);
  }

  /** Null where the file has none of that name, or the architecture's graph does not read it. */
  get(name: string): FileWeight | null {
    let weight = this.named.get(name);
    if (weight === undefined) this.named.set(name, (weight = this.find(name)));
    return weight;
  }

  inBlock(blocks: string, block: number, name: string): FileWeight | null {
    let names = this.inBlocks.get(blocks);
    if (!names) this.inBlocks.set(blocks, (names = new Map()));
    let numbered = names.get(name);
    if (!numbered) names.set(name, (numbered = []));
    const known = numbered[block];
    return known !== undefined ? known : (numbered[block] = this.find(`${blocks}.${block}.${name}`));
  }

  private find(name: string): FileWeight | null {
    const tensor = this.shape.tensors.get(name);
    if (!tensor || this.unread.includes(nameInBlock(name))) return null;
    const [ne0 = 1, ne1 = 1, ne2 = 1, ne3 = 1] = tensor.dims;
    const ne: Four = [ne0, ne1, ne2, ne3];
    return { tensor, block: layerOf(name) ?? -1, ne, nb: contiguousStrides(tensor.type, ne) };
  }
}
