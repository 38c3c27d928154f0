import type { GgufTensor } from '../../../gguf/header.js';
import type { ModelShape } from '../../../model/model-shape.js';
import { contiguousStrides, type Four } from '../../ggml/tensor.js';
import { layerOf, nameInBlock } from '../../../model/block-name.js';

/** What `build_attn` adds after the output projection, where it is given it. */
const OUTPUT_BIAS = 'attn_output.bias';
const FREQUENCIES = 'rope_freqs.weight';

/**
 * Weights, named as in a block, that an architecture loads where a file has them and that its graph does not read: the loader
 * asks for more than `src/models/*.cpp` (llama.cpp v0.5.0) hands to `build_attn`, `build_ffn` and `ggml_rope_ext`.
 */
const UNREAD: Readonly<Record<string, readonly string[]>> = {
  cogvlm: [FREQUENCIES],
  ernie4_5: [OUTPUT_BIAS],
  'ernie4_5-moe': [OUTPUT_BIAS],
  'falcon-h1': [FREQUENCIES, OUTPUT_BIAS],
  llada: [FREQUENCIES, OUTPUT_BIAS, 'ffn_gate.bias', 'ffn_up.bias', 'ffn_down.bias'],
  mimo2: ['attn_qkv.bias', 'attn_q.bias', 'attn_k.bias', 'attn_v.bias'],
  'pangu-embedded': [FREQUENCIES, 'rope_factors_long.weight', 'rope_factors_short.weight'],
  refact: [OUTPUT_BIAS, 'ffn_gate.bias', 'ffn_up.bias', 'ffn_down.bias'],
};

function unreadWeights(architecture: string): readonly string[] {
  return Object.hasOwn(UNREAD, architecture) ? (UNREAD[architecture] ?? []) : [];
}

/** A weight of a file, as every graph has it. */
export interface FileWeight {
  readonly tensor: GgufTensor;
  /** The block that its name puts it in, -1 = none. */
  readonly block: number;
  readonly ne: Four;
  readonly nb: Four;
  /** Among those of its table. */
  readonly number: number;
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
  private readonly found: FileWeight[] = [];

  private constructor(private readonly shape: ModelShape) {
    this.unread = unreadWeights(shape.architecture);
  }

  /** How many have been looked for and found. */
  get size(): number {
    return this.found.length;
  }

  at(number: number): FileWeight | undefined {
    return this.found[number];
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
    const nb = contiguousStrides(tensor.type, ne);
    const weight = { tensor, block: layerOf(name) ?? -1, ne, nb, number: this.found.length };
    this.found.push(weight);
    return weight;
  }
}
