import type { Scratch } from '../backend.js';
import { elements, F16, F32, isQuantized, pad, type Tensor } from '../tensor.js';

/*
 * What the CUDA backend (`ggml/src/ggml-cuda/ggml-cuda.cu`, llama.cpp v0.5.0) takes beside buffers: a pool for intermediate values
 * (`ggml_cuda_pool_vmm`), which grows to what one node takes at most and is never given back, and cuBLAS. A card with tensor cores, from
 * Ampere on, is assumed. Held against an H100.
 */

/** `cuMemGetAllocationGranularity`: the pool grows by such pages. */
const PAGE_BYTES = 2 * 2 ** 20;
/** Rows of activations are quantized in pieces of so many elements: `MATRIX_ROW_PADDING` (`common.cuh`). */
const ROW_PADDING = 512;
/** `sizeof(block_q8_1) / QK8_1`. */
const Q8_1_BYTES = 36 / 32;
/** A tile of partial sums for each multiprocessor, of 128 rows and columns (`launch_mul_mat_q`, `mmq.cuh`). */
const TILE_BYTES = 128 * 128 * 4;
/** What is read beyond the last of the activations: a tile's columns of `sizeof(block_q8_1_mmq)`. */
const OVERREAD_BYTES = 128 * 144;
/** `MMVQ_MAX_BATCH_SIZE` (`mmvq.cuh`). */
const VECTOR_COLUMNS = 8;
/** Of matrices that are not quantized: `ggml_cuda_should_use_mmf` (`mmf.cu`). */
const FEW_COLUMNS = 16;
/** Of a product's two operands and its result, for each of several products at once. */
const POINTER_BYTES = 3 * 8;
/** `ggml_cuda_op_fwht` (`fwht.cu`), by the length of rows. */
const TRANSFORMED_ROWS = new Set([64, 128, 256, 512]);
/** `SSM_SSD_CHUNK_SIZE` and `SSM_SSD_MIN_TOKENS` (`ssm-scan.cu`). */
const SCAN_CHUNK = 256;
const SCANNED_TOKENS = 128;
/** Rows are sorted in chunks of about so many bytes, in six arrays with those of CUB: `argsort_f32_i32_cuda_cub_chunk_nrows` (`argsort.cu`). */
const SORTED_BYTES = 2 ** 26;
const SORTED_ARRAYS = 6;
const SORTED_IN_PLACE = 1024;
/** Queries that a multiprocessor has under way, in blocks of 64: `launch_fattn` (`fattn-common.cuh`). */
const ATTENTION_QUERIES = 2 * 64;
/** Of this size on, a multiprocessor has room for one block only. */
const LARGE_HEAD = 512;
/** cuBLAS's workspace (`CUBLAS_WORKSPACE_CONFIG`'s default from compute capability 9.0 on) and its kernels, which took 66 MiB of an H100. */
const CUBLAS_BYTES = (32 + 66) * 2 ** 20;

/** Types whose products are not computed in floats: `ggml_cuda_should_use_mmq` (`mmq.cu`). */
const QUANTIZED_PRODUCTS = new Set(
  (
    'Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K ' +
    'IQ1_S IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S IQ4_XS IQ4_NL MXFP4 NVFP4'
  ).split(' '),
);

export function isQuantizedProduct(type: Tensor['type']): boolean {
  return QUANTIZED_PRODUCTS.has(type.name);
}

/**
 * What running a node takes.
 * @param multiprocessors of the card
 */
export function scratchOf(node: Tensor, multiprocessors: number): Scratch {
  const { pool, library } = RULES[node.op]?.(node, multiprocessors) ?? NOTHING;
  return { pool: pad(pool, PAGE_BYTES), library };
}

const NOTHING: Scratch = { pool: 0, library: 0 };

const inKernels = (pool: number): Scratch => ({ pool, library: 0 });
const inCublas = (pool: number): Scratch => ({ pool, library: CUBLAS_BYTES });

const RULES: Readonly<Partial<Record<Tensor['op'], (node: Tensor, multiprocessors: number) => Scratch>>> = {
  MUL_MAT: product,
  MUL_MAT_ID: expertsProduct,
  FLASH_ATTN_EXT: attention,
  SSM_SCAN: scan,
  TOP_K: sorted,
  ARGSORT: sorted,
};

/** `ggml_cuda_mul_mat`. */
function product(node: Tensor, multiprocessors: number): Scratch {
  const [a, b] = node.src as [Tensor, Tensor];
  const columns = b.ne[1];
  if (node.variant === 'hadamard' && TRANSFORMED_ROWS.has(b.ne[0])) return NOTHING;
  if (b.type === F32) {
    if (isQuantized(a.type) && columns <= VECTOR_COLUMNS) return inKernels(quantizedBytes(b));
    if (isQuantizedProduct(a.type)) return inKernels(quantizedBytes(b) + tilesBytes(multiprocessors));
    if (!isQuantized(a.type) && (columns <= FEW_COLUMNS || a.ne[1] === 1)) return NOTHING;
  }
  return inCublas(convertedBytes(node, a, b));
}

function quantizedBytes({ ne }: Tensor): number {
  return pad(ne[0], ROW_PADDING) * ne[1] * ne[2] * ne[3] * Q8_1_BYTES;
}

function tilesBytes(multiprocessors: number): number {
  return OVERREAD_BYTES + multiprocessors * TILE_BYTES;
}

/** `ggml_cuda_mul_mat_cublas`: operands of another type than is computed in are converted, and an f16 result. */
function convertedBytes(node: Tensor, a: Tensor, b: Tensor): number {
  const type = node.variant === 'f32' ? F32 : isQuantized(a.type) ? F16 : a.type;
  const size = type.bytesPerBlock;
  const batches = b.ne[2] * b.ne[3];
  return (
    (batches === 1 ? 0 : batches * POINTER_BYTES) +
    (a.type === type ? 0 : elements(a) * size) +
    (b.type === type ? 0 : elements(b) * size) +
    (type === F16 ? elements(node) * size : 0)
  );
}

/** `ggml_cuda_mul_mat_id`. */
function expertsProduct(node: Tensor, multiprocessors: number): Scratch {
  const [a, b, ids] = node.src as [Tensor, Tensor, Tensor];
  const tokens = b.ne[2];
  const rows = ids.ne[0] * tokens;
  const indices = (2 * rows + a.ne[2] + 1) * 4;
  if (isQuantized(a.type) && tokens <= VECTOR_COLUMNS) return inKernels(quantizedBytes(b));
  if (isQuantizedProduct(a.type))
    return inKernels(indices + pad(a.ne[0], ROW_PADDING) * rows * Q8_1_BYTES + tilesBytes(multiprocessors));
  if (!isQuantized(a.type) && tokens <= (a.ne[1] <= 1024 ? 512 : 128)) return inKernels(indices);
  const type = isQuantized(a.type) ? F32 : a.type;
  const sortedBytes = rows * (a.ne[0] * type.bytesPerBlock + a.ne[1] * F32.bytesPerBlock);
  // At the worst, each token asks the same expert.
  const [of, from, to] = [a.ne[0] * a.ne[1], a.ne[0] * tokens, a.ne[1] * tokens];
  const converted = isQuantized(a.type) ? of + from + to : type === F16 ? to : 0;
  return inCublas(indices + sortedBytes + converted * F16.bytesPerBlock);
}

/** `launch_fattn`: what blocks leave of queries that they share. */
function attention({ src }: Tensor, multiprocessors: number): Scratch {
  const valueSize = (src[2] as Tensor).ne[0];
  const queries = valueSize < LARGE_HEAD ? ATTENTION_QUERIES : ATTENTION_QUERIES / 2;
  return inKernels(multiprocessors * queries * (2 + valueSize / 2) * 8);
}

/** `ssm_scan_ssd_f32_cuda` (`ssm-scan.cu`), for Mamba-2's prompts: a batch may be of fewer sequences, and their tokens are more then. */
function scan({ src }: Tensor): Scratch {
  const [state, x, , decay, b] = src as Tensor[] as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const [states, headSize, heads] = state.ne;
  const tokens = x.ne[2] * x.ne[3];
  const sequences = Math.min(x.ne[3], Math.floor(tokens / (SCANNED_TOKENS + 1)));
  if (decay.ne[0] !== 1 || sequences === 0) return NOTHING;
  const perHead = SCAN_CHUNK * (headSize * 2 + states * 2 + states * 4) + SCAN_CHUNK * SCAN_CHUNK * 2;
  const perSequence = heads * perHead + SCAN_CHUNK * SCAN_CHUNK * b.ne[1] * 4;
  return inCublas(sequences * perSequence + 2 * tokens * heads * 4);
}

/** `argsort_f32_i32_cuda_cub`; short rows are sorted where they are. */
function sorted({ src }: Tensor): Scratch {
  const { ne } = src[0] as Tensor;
  if (ne[0] <= SORTED_IN_PLACE) return NOTHING;
  const rowBytes = ne[0] * 4;
  const rows = Math.min(ne[1] * ne[2] * ne[3], Math.max(1, Math.floor(SORTED_BYTES / rowBytes)));
  return inKernels(SORTED_ARRAYS * rows * rowBytes);
}
