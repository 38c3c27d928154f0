import { ggmlTypeByName, type GgmlType } from '../../gguf/ggml-types.js';
import { DEFAULT_ALIGNMENT_BYTES, type GgufHeader, type GgufTensor } from '../../gguf/header.js';
import { tensorBytes, TensorLayout } from '../../gguf/tensor-layout.js';
import { table } from '../../table.js';
import type { ModelShape } from '../model-shape.js';
import { FILE_TYPES } from './quantization.js';
import { tensorClass, type TensorClass } from './tensor-class.js';

/** Which of `count` tensors of its class a tensor is, and how many query heads share a KV head. */
interface Position {
  readonly index: number;
  readonly count: number;
  readonly gqa: number;
}

type TypeChoice = (position: Position) => string;

/** The type of each class of tensors; what is not named gets `base`. */
interface Recipe extends Partial<Readonly<Record<TensorClass, TypeChoice>>> {
  readonly base: string;
}

const always =
  (type: string): TypeChoice =>
  () =>
    type;
const firstOf = (many: (count: number) => number, type: string, rest: string): TypeChoice => {
  return ({ index, count }) => (index < many(count) ? type : rest);
};
/** `use_more_bits` in `src/llama-quant.cpp`. */
const moreBits = (type: string, rest: string): TypeChoice => {
  return ({ index, count }) => {
    const eighth = Math.floor(count / 8);
    const more = index < eighth || index >= Math.floor((7 * count) / 8) || (index - eighth) % 3 === 2;
    return more ? type : rest;
  };
};
const grouped = (type: string, rest: string): TypeChoice => {
  return ({ gqa }) => (gqa >= 4 ? type : rest);
};
const eighth = (count: number): number => Math.floor(count / 8);

/**
 * `llama_tensor_get_type` in `src/llama-quant.cpp` of llama.cpp v0.5.0, without an importance matrix, which would make
 * IQ4_XS a little smaller.
 */
const RECIPES = table<Recipe>({
  Q8_0: { base: 'Q8_0', output: always('Q8_0') },
  Q6_K: { base: 'Q6_K' },
  Q5_K_M: {
    base: 'Q5_K',
    value: moreBits('Q6_K', 'Q5_K'),
    down: moreBits('Q6_K', 'Q5_K'),
    fused: always('Q6_K'),
  },
  Q5_K_S: { base: 'Q5_K' },
  Q4_K_M: {
    base: 'Q4_K',
    value: moreBits('Q6_K', 'Q4_K'),
    down: moreBits('Q6_K', 'Q4_K'),
    fused: always('Q5_K'),
  },
  Q4_K_S: { base: 'Q4_K', value: firstOf(() => 4, 'Q5_K', 'Q4_K'), down: firstOf(eighth, 'Q5_K', 'Q4_K') },
  IQ4_XS: { base: 'IQ4_XS', value: grouped('Q5_K', 'IQ4_XS'), down: firstOf(eighth, 'Q5_K', 'IQ4_XS') },
  Q3_K_L: {
    base: 'Q3_K',
    value: always('Q5_K'),
    down: always('Q5_K'),
    attention: always('Q5_K'),
    fused: always('Q4_K'),
  },
  Q3_K_M: {
    base: 'Q3_K',
    value: firstOf(() => 2, 'Q5_K', 'Q4_K'),
    down: firstOf((count) => Math.floor(count / 16), 'Q5_K', 'Q4_K'),
    attention: always('Q4_K'),
    fused: always('Q4_K'),
  },
  Q3_K_S: { base: 'Q3_K' },
  Q2_K: {
    base: 'Q2_K',
    value: grouped('Q4_K', 'Q3_K'),
    down: always('Q3_K'),
    attention: always('Q3_K'),
  },
});

/** Quantizations that a header can be worked out for, largest first. */
export const RECIPE_NAMES: readonly string[] = Object.keys(RECIPES);

/** What a type becomes where a row does not end with its block: `tensor_type_fallback`. */
const FALLBACKS: Readonly<Record<string, string>> = {
  IQ4_XS: 'IQ4_NL',
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};
/** With exactly 8 experts, the attention output of these gets more bits. */
const SMALL_RECIPES: ReadonlySet<string> = new Set(['Q2_K', 'Q3_K_S', 'Q3_K_M', 'Q4_K_S', 'Q4_K_M', 'IQ4_XS']);
/** Architectures whose published files were quantized when a fused attn_qkv was still a class of its own. */
const FUSED_AS_OWN_CLASS: ReadonlySet<string> = new Set(['phi2', 'phi3']);
/** Trained in these types, so nobody publishes their experts in any other. */
const NATIVE_TYPES: ReadonlySet<string> = new Set(['MXFP4', 'NVFP4']);

/**
 * The same model as llama-quantize would write it in another quantization: types, sizes and places of all tensors.
 * Undefined for a quantization without a recipe here, and for models that are published only as they were trained.
 * Publishers may deviate from the recipe, so what is worked out from this is an estimate.
 */
export function requantise(shape: ModelShape, quantization: string): ModelShape | undefined {
  const recipe = RECIPES[quantization.toUpperCase()];
  const [file] = shape.files;
  const isNative = [...shape.tensors.values()].some(({ type }) => NATIVE_TYPES.has(type.name));
  if (recipe === undefined || file === undefined || isNative) return undefined;
  const types = recipeTypes(shape, quantization.toUpperCase(), recipe);
  const layout = new TensorLayout(file.dataOffsetBytes, file.alignmentBytes ?? DEFAULT_ALIGNMENT_BYTES);
  const tensors = new Map<string, GgufTensor>();
  let endBytes = file.dataOffsetBytes;
  for (const { name, dims, type: own } of shape.tensors.values()) {
    const type = types.get(name) ?? own;
    const bytes = tensorBytes(dims, type) ?? 0;
    const offsetBytes = layout.next(bytes);
    endBytes = offsetBytes + bytes;
    tensors.set(name, { name, dims, type, file: 0, offsetBytes, bytes });
  }
  const files = [{ ...file, bytes: endBytes }];
  return { ...shape, quantization: quantization.toUpperCase(), tensors, files, fileBytes: endBytes };
}

/** A shape whose file is as long as it is published, where that is longer than what was worked out. */
export function atLeastAsLong(shape: ModelShape, fileBytes: number): ModelShape {
  const missing = fileBytes - shape.fileBytes;
  const last = [...shape.tensors.values()].at(-1);
  if (missing <= 0 || last === undefined) return shape;
  const tensors = new Map(shape.tensors).set(last.name, { ...last, bytes: last.bytes + missing });
  return { ...shape, tensors, fileBytes };
}

/** `requantise` for a header, of which `shape` is the description. */
export function requantiseHeader(header: GgufHeader, shape: ModelShape, quantization: string): GgufHeader | undefined {
  const other = requantise(shape, quantization);
  if (other === undefined) return undefined;
  const metadata = new Map(header.metadata);
  const fileType = Object.entries(FILE_TYPES).find(([, name]) => name === other.quantization)?.[0];
  if (fileType !== undefined) metadata.set('general.file_type', Number(fileType));
  return { ...header, metadata, tensors: [...other.tensors.values()], files: other.files };
}

function recipeTypes(shape: ModelShape, name: string, recipe: Recipe): Map<string, GgmlType> {
  const { hparams, architecture } = shape;
  const isTied = !shape.tensors.has('output.weight');
  const byClass = new Map<TensorClass, GgufTensor[]>();
  for (const tensor of inQuantizeOrder(shape.tensors.values())) {
    const own = tensorClass(tensor, isTied, FUSED_AS_OWN_CLASS.has(architecture));
    if (own === undefined) continue;
    const members = byClass.get(own);
    if (members === undefined) byClass.set(own, [tensor]);
    else members.push(tensor);
  }
  const [heads = 0, kvHeads = 0] = [hparams.nHead[0], hparams.nHeadKv[0]];
  const gqa = kvHeads > 0 ? Math.floor(heads / kvHeads) : 0;
  const types = new Map<string, GgmlType>();
  for (const [own, tensors] of byClass) {
    for (const [order, tensor] of tensors.entries()) {
      const index = own === 'down' && hparams.nExpert > 1 ? blockOf(tensor.name) : order;
      const count = own === 'down' ? hparams.nLayerAll : tensors.length;
      const wanted = recipe[own]?.({ index, count, gqa }) ?? (own === 'output' ? 'Q6_K' : recipe.base);
      const type = fitting(corrected(wanted, own, shape, name), own, tensor);
      if (type !== undefined) types.set(tensor.name, type);
    }
  }
  return types;
}

/** Blocks one after another, names within a block in order: `tensor_name_comparator` in `src/llama-quant.cpp`. */
function inQuantizeOrder(tensors: Iterable<GgufTensor>): GgufTensor[] {
  return [...tensors].sort((a, b) => blockOf(a.name) - blockOf(b.name) || (a.name < b.name ? -1 : 1));
}

function blockOf(name: string): number {
  return Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
}

/** What `llama_tensor_get_type` changes for 70B models and for exactly 8 experts. */
function corrected(type: string, own: TensorClass, { architecture, hparams }: ModelShape, name: string): string {
  const { nLayerAll, nHead, nHeadKv, nExpert } = hparams;
  if (nExpert === 8) {
    if (own === 'value' || own === 'key') return 'Q8_0';
    if (own === 'attention') return SMALL_RECIPES.has(name) ? 'Q5_K' : (RECIPES[name]?.base ?? type);
  }
  const is70B = nLayerAll === 80 && (architecture === 'qwen2' || (architecture === 'llama' && nHead[0] !== nHeadKv[0]));
  return is70B && own === 'value' && (type === 'Q3_K' || type === 'Q4_K') ? 'Q5_K' : type;
}

function fitting(name: string, own: TensorClass, { dims: [rowLength = 0] }: GgufTensor): GgmlType | undefined {
  const type = ggmlTypeByName(name);
  if (type === undefined || rowLength % type.elementsPerBlock === 0) return type;
  const fallback = ggmlTypeByName(own === 'output' ? 'Q8_0' : (FALLBACKS[name] ?? 'F16'));
  return fallback && rowLength % fallback.elementsPerBlock === 0 ? fallback : ggmlTypeByName('F16');
}
