import { elements, F16, F32, isQuantized, isViewOf, pad, type Tensor, tensorBytes } from '../tensor.js';

/*
 * Flash attention of the CUDA backend (`ggml/src/ggml-cuda/fattn.cu` and `fattn-common.cuh`, llama.cpp v0.5.0). Which kernel
 * runs depends on the card too; only single queries on a cache that is not f16 notice, and an Ada card or newer is assumed then.
 */

const CACHE_TYPES = new Set(['F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']);
/** Cache positions that a kernel takes at a time: `FATTN_KQ_STRIDE`. */
const STRIDE = 256;
const AREA_ALIGNMENT = 128;
const VECTOR_HEAD_SIZES = new Set([64, 128, 256]);

interface HeadSize {
  /** Size of a value head; the same as a key head where left out. */
  readonly value?: number;
  /** Queries must share keys in groups that the kernel can take together, of a multiple of this many. */
  readonly grouped?: number;
}

/** By the size of a key head. */
const HEAD_SIZES: Readonly<Record<number, HeadSize>> = {
  40: {},
  64: {},
  72: {},
  80: {},
  96: {},
  112: {},
  128: {},
  256: {},
  192: { value: 128, grouped: 8 },
  320: { value: 256, grouped: 32 },
  512: { grouped: 1 },
  576: { value: 512, grouped: 1 },
};

/** `ggml_cuda_get_best_fattn_kernel`, as far as it says whether any kernel runs. */
export function flashAttentionRuns(op: Tensor): boolean {
  const [q, k, v, mask] = op.src as [Tensor, Tensor | null, Tensor | null, Tensor | null];
  if (!k || !v) return false;
  const size = HEAD_SIZES[k.ne[0]];
  if (!size || v.ne[0] !== (size.value ?? k.ne[0])) return false;
  const perKey = Math.floor(q.ne[2] / k.ne[2]);
  if (size.grouped !== undefined && (perKey % size.grouped !== 0 || !takesGroups(perKey, q, k, v, mask))) return false;
  return CACHE_TYPES.has(k.type.name) && CACHE_TYPES.has(v.type.name) && (!mask || mask.ne[2] === 1);
}

/** `gqa_opt_applies`. No model here has ALiBi with heads of a size that depends on it. */
function takesGroups(perKey: number, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null): boolean {
  if (perKey < 2 || !mask || k.ne[1] % STRIDE !== 0) return false;
  return [q, k, v, mask].every(
    ({ type, nb }) => isQuantized(type) || nb.every((step, i) => i === 0 || step % 16 === 0),
  );
}

/** `ggml_cuda_flash_attn_ext_get_alloc_size`: the result, and f16 copies of a K and V of other types. */
export function flashAttentionBytes(op: Tensor): number {
  const [, k, v] = op.src as [Tensor, Tensor, Tensor];
  let end = tensorBytes(op);
  if (!flashAttentionRuns(op)) return end;
  const asTheyAre = readsVectors(op) && isCompiled(k, v);
  if (k.type !== F16 && (!asTheyAre || k.type === F32)) end = pad(end, AREA_ALIGNMENT) + halfBytes(k);
  if (v.type !== F16 && (!asTheyAre || v.type === F32) && !isViewOf(v, k))
    end = pad(end, AREA_ALIGNMENT) + halfBytes(v);
  return end;
}

/** `GGML_CUDA_FA_QUANTS` (`ggml/CMakeLists.txt`): types of K and V that the vector kernel is compiled for by default. */
const COMPILED = new Set(['F16', 'BF16', 'Q4_0', 'Q8_0']);

/** `ggml_cuda_get_fattn_vec_case`: other pairs are read as f16. */
function isCompiled(k: Tensor, v: Tensor): boolean {
  const [typeK, typeV] = [k, v].map(({ type }) => (type === F32 ? F16 : type).name) as [string, string];
  return typeK === typeV && COMPILED.has(typeK);
}

/** The vector kernel reads quantized caches as they are; it takes single queries. */
function readsVectors({ src }: Tensor): boolean {
  const [q, k, v, mask = null] = src as [Tensor, Tensor, Tensor, Tensor | null];
  if (!VECTOR_HEAD_SIZES.has(q.ne[0]) || k.ne[1] % STRIDE !== 0) return false;
  if (isQuantized(k.type) || isQuantized(v.type)) return q.ne[1] <= 2;
  if (q.ne[1] !== 1) return false;
  const perKey = Math.floor(q.ne[2] / k.ne[2]);
  const isLarge = perKey > 4 && (q.ne[0] >= 256 || k.ne[1] >= 8192);
  return (q.ne[3] === 1 && !isLarge) || !takesGroups(perKey, q, k, v, mask);
}

function halfBytes(tensor: Tensor): number {
  return F16.bytesPerBlock * elements(tensor);
}
