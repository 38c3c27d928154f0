import type { Switches } from '../../../runtime/llama-cpp.js';
import { rowBytes } from '../../../gguf/ggml-types.js';
import { type Backend, hasManyRows } from '../backend.js';
import {
  F16,
  F32,
  hasContiguousRows,
  I32,
  I64,
  isContiguous,
  isContiguousAbovePlanes,
  isContiguousAboveRows,
  isContiguousWithinCubes,
  isFloat,
  isQuantized,
  type Tensor,
  tensorBytes,
} from '../tensor.js';
import { keepFusedExperts } from './expert-fusion.js';
import { flashAttentionBytes, flashAttentionRuns } from './flash-attention.js';
import { isQuantizedProduct, scratchOf } from './scratch.js';

/*
 * The CUDA backend (`ggml/src/ggml-cuda/ggml-cuda.cu`, llama.cpp v0.5.0), which ROCm is compiled from too. It reorders nothing
 * unless an environment variable asks for it.
 */

/** `ggml_backend_cuda_buffer_type_get_alignment`. */
const ALIGNMENT = 128;
/** Rows of quantized tensors are read in pieces of this many elements: `MATRIX_ROW_PADDING` (`common.cuh`). */
const ROW_PADDING = 512;
/** `QK_K` (`ggml-common.h`). */
const SUPER_BLOCK = 256;

type Rule = (op: Tensor, a: Tensor, b: Tensor | null) => boolean;

const always: Rule = () => true;
const contiguousRows: Rule = (_, a) => hasContiguousRows(a);
const floatRows: Rule = (op, a) => a.type === F32 && op.type === F32 && hasContiguousRows(a);
const elementwise: Rule = (op, a, b) => isFloat(a) && b !== null && isFloat(b) && isFloat(op);

const MATRIX_TYPES = new Set(
  (
    'F32 F16 BF16 Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 MXFP4 NVFP4 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K ' +
    'IQ1_M IQ1_S IQ2_S IQ2_XS IQ2_XXS IQ3_S IQ3_XXS IQ4_NL IQ4_XS'
  ).split(' '),
);
const GET_ROWS_TYPES = new Set(
  (
    'F16 F32 BF16 I32 Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K ' +
    'IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S IQ1_S IQ1_M IQ4_XS'
  ).split(' '),
);
/** Rows of these must be whole super-blocks. */
const GET_ROWS_WHOLE_BLOCKS = new Set(['IQ4_NL', 'MXFP4']);
const SET_ROWS_TYPES = new Set(['F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'IQ4_NL']);
const COPIED_FLOATS = new Set(['F32', 'BF16', 'F16']);
const COPIED_FROM_F32 = new Set(['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'IQ4_NL', 'I32']);
const COPIED_TO_F32 = new Set(['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'I32']);

const matrixProduct: Rule = (_, a, b) => {
  if (!b || a.nb[0] !== a.type.bytesPerBlock || b.nb[0] !== b.type.bytesPerBlock) return false;
  return !(b.type === F16 && a.type !== F16) && MATRIX_TYPES.has(a.type.name);
};

const copies: Rule = (_, a, b) => {
  const from = a.type;
  const to = b?.type ?? from;
  if (COPIED_FLOATS.has(from.name) && COPIED_FLOATS.has(to.name)) return true;
  if (from === F32 && COPIED_FROM_F32.has(to.name)) return true;
  if (to === F32 && COPIED_TO_F32.has(from.name)) return true;
  if (from === I32 && to === I32) return true;
  return from === to && isContiguous(a) && (b === null || isContiguous(b));
};

const concatenates: Rule = (op, a, b) => {
  if (!b || a.type !== b.type || a.type !== op.type) return false;
  if (!isQuantized(a.type)) return true;
  const along = a.ne.findIndex((n, i) => n !== op.ne[i]);
  const contiguous = along === 3 ? isContiguous : isContiguousWithinCubes;
  const whole = [a, b].every(({ ne, type }) => ne[0] % type.elementsPerBlock === 0);
  return contiguous(a) && contiguous(b) && whole;
};

/** Mamba-2 has one decay a head, Mamba one for each state. */
const scans: Rule = (op, state) => {
  const [states, headSize, heads] = state.ne;
  if (op.src[3]?.ne[0] === 1) return (states === 128 || states === 256) && headSize % 16 === 0;
  return op.snapshots <= 1 && states === 16 && headSize === 1 && heads % 128 === 0 && op.src[4]?.ne[1] === 1;
};

const rotates: Rule = (_, a) => a.nb[0] === a.type.bytesPerBlock && isContiguousAbovePlanes(a);

const INDEXER_KEY_TYPES = new Set(['F32', 'BF16', 'F16', 'Q8_0', 'Q5_1', 'Q5_0', 'Q4_1', 'Q4_0']);

/** `ggml_cuda_lightning_indexer_supported` (`lightning-indexer.cu`). */
const indexes: Rule = (_, q, k) => {
  if (!k || q.ne[0] !== 128 || (q.ne[1] !== 64 && q.ne[1] !== 32) || !INDEXER_KEY_TYPES.has(k.type.name)) return false;
  return [q, k].every(({ type, nb }) => isQuantized(type) || nb.slice(1).every((bytes) => bytes % 16 === 0));
};

const floatStreams: Rule = ({ src }) => src.every((tensor) => tensor === null || tensor.type === F32);

/** `ggml_backend_cuda_device_supports_op`; ops that are missing it does not run. */
const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    (
      'NONE RESHAPE VIEW PERMUTE TRANSPOSE ADD_ID ADD1 SCALE SQR SQRT SIN COS CLAMP LOG DUP ARGMAX COUNT_EQUAL CONT ' +
      'DIAG_MASK_INF SOFT_MAX TOP_K ARGSORT PAD UPSCALE PAD_REFLECT_1D ARANGE TIMESTEP_EMBEDDING LEAKY_RELU RWKV_WKV6 ' +
      'RWKV_WKV7 GATED_LINEAR_ATTN GATED_DELTA_NET FILL CUMSUM TRI DIAG SOLVE_TRI POOL_1D POOL_2D CONV_TRANSPOSE_2D'
    )
      .split(' ')
      .map((op) => [op, always]),
  ),
  UNARY: (_, a) => isContiguous(a),
  GLU: (_, a) => isContiguousAboveRows(a),
  MUL_MAT: matrixProduct,
  MUL_MAT_ID: (op, a, b) => op.variant !== 'f32-source' && matrixProduct(op, a, b),
  OUT_PROD: (op, a, b) => op.type === F32 && a.type === F32 && b?.type === F32,
  GET_ROWS: (_, a) =>
    GET_ROWS_TYPES.has(a.type.name) || (GET_ROWS_WHOLE_BLOCKS.has(a.type.name) && a.ne[0] % SUPER_BLOCK === 0),
  SET_ROWS: (op, a, b) =>
    ((SET_ROWS_TYPES.has(op.type.name) && a.type === F32) || (op.type === F16 && a.type === F16)) &&
    (b?.type === I64 || b?.type === I32),
  SET: (op, a, b) => (op.type === F32 || op.type === I32) && op.type === a.type && op.type === b?.type,
  CPY: copies,
  REPEAT: (_, a) => isFloat(a),
  CONCAT: concatenates,
  NORM: contiguousRows,
  RMS_NORM: contiguousRows,
  L2_NORM: contiguousRows,
  GROUP_NORM: (_, a) => isContiguous(a),
  ADD: elementwise,
  SUB: elementwise,
  MUL: elementwise,
  DIV: elementwise,
  SSM_SCAN: scans,
  SSM_CONV: (_, a) => a.ne[1] % 128 === 0,
  ROLL: (_, a) => a.type === F32 && isContiguous(a),
  ROPE: rotates,
  ROPE_BACK: rotates,
  IM2COL: (_, a, b) => isContiguous(a) && (b === null || isContiguous(b)),
  CONV_2D: (_, a, b) => isContiguous(a) && (b === null || isContiguous(b)),
  CONV_2D_DW: (_, a) => a.type === F32,
  ACC: (_, a, b) => isContiguous(a) && (b === null || isContiguous(b)),
  SUM: contiguousRows,
  SUM_ROWS: floatRows,
  MEAN: floatRows,
  LIGHTNING_INDEXER: indexes,
  DSV4_HC_COMB: floatStreams,
  DSV4_HC_PRE: floatStreams,
  DSV4_HC_POST: floatStreams,
  FLASH_ATTN_EXT: flashAttentionRuns,
};

/** `ggml_backend_cuda_buffer_type_get_alloc_size`. */
function allocSize(tensor: Tensor): number {
  const { type, ne } = tensor;
  const bytes = tensor.op === 'FLASH_ATTN_EXT' ? flashAttentionBytes(tensor) : tensorBytes(tensor);
  const partial = ne[0] % ROW_PADDING;
  return isQuantized(type) && partial !== 0 ? bytes + rowBytes(type, ROW_PADDING - partial) : bytes;
}

/**
 * The backend of one GPU: it runs nothing that reads another's memory.
 * @param multiprocessors of its card
 */
export function cudaBackend(device: number, { cudaFusedGates }: Switches, multiprocessors: number): Backend {
  return {
    memory: device,
    alignment: ALIGNMENT,
    readsRepacked: false,
    supportsOp(op) {
      for (const source of op.src) {
        const holder = source?.buffer?.device;
        if (holder !== undefined && holder !== 'cpu' && holder !== device) return false;
      }
      const rule = RULES[op.op];
      return rule !== undefined && rule(op, op.src[0] ?? op, op.src[1] ?? null);
    },
    offloadsOp: hasManyRows,
    allocSize,
    scratch: (node) => scratchOf(node, multiprocessors),
    // Only of a gate and what it lets through, which have one shape, and of what is computed in floats.
    typeTrait: (type, _, hasTwin) => ((hasTwin && cudaFusedGates) || !isQuantizedProduct(type) ? type.name : ''),
    optimize: (nodes, keepUntil, following) => keepFusedExperts(nodes, keepUntil, following, cudaFusedGates),
  };
}
