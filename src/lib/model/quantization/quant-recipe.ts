import { ggmlTypeByName, type GgmlType } from '../../gguf/ggml-types.js';
import { DEFAULT_ALIGNMENT_BYTES, type GgufHeader, type GgufTensor } from '../../gguf/header.js';
import { tensorBytes, TensorLayout } from '../../gguf/tensor-layout.js';
import { table } from '../../table.js';
import type { ModelShape } from '../model-shape.js';
import { FILE_TYPES } from './quantization.js';
import { FALCON_RECIPES, FALLBACKS, MORE_FOR_EIGHT_EXPERTS, type Position, type Recipe, RECIPES } from './recipes.js';
import { tensorClass, type TensorClass } from './tensor-class.js';

/** Architectures whose published files were quantized when a fused attn_qkv was still a class of its own. */
const FUSED_AS_OWN_CLASS: ReadonlySet<string> = new Set(['phi2', 'phi3']);
/** Classes whose tensors are counted by blocks: `n_ffn_down`, `n_ffn_gate`, `n_ffn_up`. */
const BY_BLOCK: ReadonlySet<TensorClass> = new Set(['down', 'gate', 'up']);
/** Blocks of what `load_arch_hparams` in `src/models/` calls `LLM_TYPE_70B`. */
const BLOCKS_OF_70B = table<number>({ deci: 80, jais2: 68, llama: 80, olmo: 80, qwen2: 80 });
/** Trained in these types, so nobody publishes their experts in any other. */
const NATIVE_TYPES: ReadonlySet<string> = new Set(['MXFP4', 'NVFP4']);

/**
 * The same model as llama-quantize would write it in another quantization: types, sizes and places of all tensors.
 * Undefined for a quantization without a recipe here, and for models that are published only as they were trained.
 * Publishers may deviate from the recipe, so what is worked out from this is an estimate.
 */
export function requantise(shape: ModelShape, quantization: string): ModelShape | undefined {
  const name = quantization.toUpperCase();
  const own = RECIPES[name];
  const recipe = own && shape.architecture === 'falcon' ? { ...own, ...FALCON_RECIPES[name] } : own;
  const [file] = shape.files;
  if (recipe === undefined || file === undefined || isNative(shape)) return undefined;
  const types = recipeTypes(shape, name, recipe);
  const layout = new TensorLayout(file.dataOffsetBytes, file.alignmentBytes ?? DEFAULT_ALIGNMENT_BYTES);
  const tensors = new Map<string, GgufTensor>();
  let endBytes = file.dataOffsetBytes;
  let index = 0;
  for (const tensor of shape.tensors.values()) {
    const { name, dims } = tensor;
    const type = types[index++] ?? tensor.type;
    const bytes = type === tensor.type ? tensor.bytes : (tensorBytes(dims, type) ?? 0);
    const offsetBytes = layout.next(bytes);
    endBytes = offsetBytes + bytes;
    tensors.set(name, { name, dims, type, file: 0, offsetBytes, bytes });
  }
  const files = [{ ...file, bytes: endBytes }];
  return { ...shape, quantization: name, tensors, files, fileBytes: endBytes };
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

function isNative({ tensors }: ModelShape): boolean {
  for (const { type } of tensors.values()) if (NATIVE_TYPES.has(type.name)) return true;
  return false;
}

/** A model's tensors do not change their classes between its quantizations, of which many are worked out at a time. */
const BY_CLASS = new WeakMap<ModelShape, ReadonlyMap<TensorClass, readonly NumberedTensor[]>>();

interface NumberedTensor extends Pick<GgufTensor, 'name' | 'dims'> {
  /** In the model's list. */
  readonly index: number;
  readonly block: number;
}

function tensorsByClass(shape: ModelShape): ReadonlyMap<TensorClass, readonly NumberedTensor[]> {
  const known = BY_CLASS.get(shape);
  if (known !== undefined) return known;
  const isTied = !shape.tensors.has('output.weight');
  const byClass = new Map<TensorClass, NumberedTensor[]>();
  let index = 0;
  for (const { name, dims } of shape.tensors.values()) {
    const tensor = { name, dims, index: index++, block: blockOf(name) };
    const own = tensorClass(tensor, isTied, FUSED_AS_OWN_CLASS.has(shape.architecture));
    if (own === undefined) continue;
    const members = byClass.get(own);
    if (members === undefined) byClass.set(own, [tensor]);
    else members.push(tensor);
  }
  for (const members of byClass.values()) members.sort(byQuantizeOrder);
  BY_CLASS.set(shape, byClass);
  return byClass;
}

/** By a tensor's index; unset: it keeps its own. */
function recipeTypes(shape: ModelShape, name: string, recipe: Recipe): readonly (GgmlType | undefined)[] {
  const { hparams } = shape;
  const [heads = 0, kvHeads = 0] = [hparams.nHead[0], hparams.nHeadKv[0]];
  const gqa = kvHeads > 0 ? Math.floor(heads / kvHeads) : 0;
  const types = new Array<GgmlType | undefined>(shape.tensors.size).fill(undefined);
  const { nExpert: experts, nLayerAll } = hparams;
  for (const [own, tensors] of tensorsByClass(shape)) {
    const count = BY_BLOCK.has(own) ? nLayerAll : tensors.length;
    if (own !== 'output' && recipe[own] === undefined) {
      setAlike(types, tensors, corrected(recipe.base, own, shape, name, recipe));
      continue;
    }
    for (const [order, tensor] of tensors.entries()) {
      const layer = BY_BLOCK.has(own) && experts > 1 ? tensor.block : order;
      const wanted = wantedType(own, recipe, shape, { order, layer, count, gqa, experts }, tensor);
      const type = fitting(corrected(wanted, own, shape, name, recipe), tensor);
      types[tensor.index] = type;
    }
  }
  return types;
}

/** Of a class that has one type wherever its tensors lie. */
function setAlike(types: (GgmlType | undefined)[], tensors: readonly NumberedTensor[], wanted: string): void {
  let [rowLength, type]: [number | undefined, GgmlType | undefined] = [undefined, undefined];
  for (const tensor of tensors) {
    if (tensor.dims[0] !== rowLength || type === undefined) {
      rowLength = tensor.dims[0];
      type = fitting(wanted, tensor);
    }
    types[tensor.index] = type;
  }
}

function wantedType(
  own: TensorClass,
  recipe: Recipe,
  { architecture }: ModelShape,
  position: Position,
  { dims: [rowLength = 0] }: NumberedTensor,
): string {
  if (own !== 'output') return recipe[own]?.(position) ?? recipe.base;
  const isWhole = rowLength % (ggmlTypeByName(recipe.base)?.elementsPerBlock ?? 1) === 0;
  return architecture === 'falcon' || !isWhole ? 'Q8_0' : (recipe.output?.(position) ?? 'Q6_K');
}

/** Blocks one after another, names within a block in order: `tensor_name_comparator` in `src/llama-quant.cpp`. */
function byQuantizeOrder(a: NumberedTensor, b: NumberedTensor): number {
  return a.block - b.block || (a.name < b.name ? -1 : 1);
}

function blockOf(name: string): number {
  return Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
}

/** What `llama_tensor_get_type_impl` changes for 70B models and for exactly 8 experts. */
function corrected(type: string, own: TensorClass, shape: ModelShape, name: string, recipe: Recipe): string {
  const { architecture, hparams } = shape;
  const { nLayerAll, nHead, nHeadKv, nExpert } = hparams;
  if (recipe.isTiny === true) return type;
  if (nExpert === 8) {
    if (own === 'value' || own === 'key') return 'Q8_0';
    if (own === 'attention') return MORE_FOR_EIGHT_EXPERTS.has(name) ? 'Q5_K' : recipe.base;
  }
  const isSeventy = BLOCKS_OF_70B[architecture] === nLayerAll && (architecture !== 'llama' || nHead[0] !== nHeadKv[0]);
  return isSeventy && own === 'value' && (type === 'Q3_K' || type === 'Q4_K') ? 'Q5_K' : type;
}

function fitting(name: string, { dims: [rowLength = 0] }: NumberedTensor): GgmlType | undefined {
  const type = ggmlTypeByName(name);
  if (type === undefined || rowLength % type.elementsPerBlock === 0) return type;
  const fallback = ggmlTypeByName(FALLBACKS[name] ?? 'F16');
  return fallback && rowLength % fallback.elementsPerBlock === 0 ? fallback : ggmlTypeByName('F16');
}
