import { type Backend, hasManyRows } from '../backend.js';
import { cpuBackend } from '../cpu/cpu-and-blas.js';
import {
  F16,
  F32,
  hasContiguousRows,
  I32,
  I64,
  isContiguous,
  isFloat,
  isQuantized,
  type Tensor,
  tensorBytes,
} from '../tensor.js';
import { reorder } from './reorder.js';

/*
 * The Vulkan backend (`ggml/src/ggml-vulkan/ggml-vulkan.cpp`, llama.cpp v0.5.0) on a GPU with subgroup shuffles and 64-bit integers, as
 * those of desktops have.
 */

/** `minStorageBufferOffsetAlignment`: 4 to 64 bytes on GPUs, 16 on the device that it was measured with. */
const ALIGNMENT = 16;
/** `minMemoryMapAlignment`, which host buffers are aligned to: 64 on nearly all. */
const HOST_ALIGNMENT = 64;
/** A graph that needs more gets several buffers: `suballocation_block_size`, of host memory as well. */
const MAX_BUFFER = 2 ** 30;
/** `maxStorageBufferRange` of desktop GPUs. */
const LARGEST_TENSOR_BYTES = 2 ** 32 - 1;

type Rule = (op: Tensor, a: Tensor, b: Tensor | null) => boolean;

const MATRIX_TYPES = new Set(
  (
    'F32 F16 BF16 Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S ' +
    'IQ4_XS IQ4_NL MXFP4 NVFP4 TQ1_0 TQ2_0'
  ).split(' '),
);
const FLASH_ATTN_TYPES = new Set(['F32', 'F16', 'BF16', 'Q8_0', 'Q5_1', 'Q5_0', 'Q4_1', 'Q4_0', 'IQ4_NL']);
const WRITABLE_TYPES = new Set('F32 F16 BF16 Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 IQ4_NL'.split(' '));
const INDEXER_KEY_TYPES = new Set(['F32', 'F16', 'BF16', 'Q8_0', 'Q5_1', 'Q5_0', 'Q4_1', 'Q4_0']);

const always: Rule = () => true;
const floats: Rule = (op, a) => isFloat(a) && op.type === a.type;
const ofF32: Rule = (_, a) => a.type === F32;
const contiguousF32: Rule = (_, a) => a.type === F32 && isContiguous(a);
const floatRows: Rule = (_, a) => a.type === F32 && hasContiguousRows(a);
const allF32: Rule = (op) => op.type === F32 && op.src.every((source) => source === null || source.type === F32);
const elementwise: Rule = (op, a, b) => isFloat(a) && b !== null && isFloat(b) && isFloat(op);
const gated: Rule = (op, a, b) => floats(op, a, b) && (b === null || b.type === a.type);

/** `ggml_vk_dim01_contiguous`. */
function isContiguousPlane({ type, ne, nb }: Tensor): boolean {
  const row = (type.bytesPerBlock * ne[0]) / type.elementsPerBlock;
  return nb[0] === type.bytesPerBlock && nb[1] === row && (ne[3] === 1 || nb[3] === nb[2] * ne[2]);
}

const matrixProduct: Rule = (op, a, b) => {
  if (!b || !MATRIX_TYPES.has(a.type.name)) return false;
  const batched = op.op === 'MUL_MAT' ? a : op.src[2];
  if (batched?.ne[3] !== b.ne[3]) return false;
  const isA = isContiguousPlane(a) || isFloat(a) || a.type.name === 'BF16';
  return isA && (isContiguousPlane(b) || isFloat(b)) && !(a.type.name === 'BF16' && b.type === F16);
};

const flashAttention: Rule = (op, q, k) => {
  const [, , v, mask, sinks] = op.src;
  if (!k || !v || k.ne[0] % 8 !== 0 || v.ne[0] % 8 !== 0 || q.type !== F32) return false;
  if ((sinks && sinks.type !== F32) || (mask && mask.type !== F16)) return false;
  const areKnown = FLASH_ATTN_TYPES.has(k.type.name) && FLASH_ATTN_TYPES.has(v.type.name);
  return areKnown && (k.type.name === 'BF16') === (v.type.name === 'BF16');
};

const copies: Rule = (op, a) => {
  const from = a.type;
  const to = op.src[1]?.type ?? from;
  if (from === F32 && WRITABLE_TYPES.has(to.name)) return true;
  if (to === F32 && WRITABLE_TYPES.has(from.name)) return true;
  if (from === F16 && to === F16) return true;
  if ((from === F32 && to === I32) || (from === I32 && to === F32)) return true;
  if (from !== to || from.bytesPerBlock % 2 !== 0) return false;
  return !isQuantized(from) || (isContiguous(a) && isContiguous(op));
};

const scans: Rule = (op, state) => {
  const isMamba2 = op.src[3]?.nb[1] === 4;
  return isMamba2 && (state.ne[0] === 128 || state.ne[0] === 256) && state.ne[1] % 16 === 0;
};

const concatenates: Rule = (op, a, b) => {
  if (!b || a.type !== b.type || a.type !== op.type) return false;
  return !isQuantized(a.type) || [a, b, op].every(hasContiguousRows);
};

const DELTA_NET_SIZES = new Set([16, 32, 64, 128]);
const INDEXER_HEAD_SIZE = 128;
const GATED_LINEAR_HEAD_SIZE = 64;
/** The kernels that mix residual streams are written for four. */
const STREAMS = 4;

/** `ggml_backend_vk_device_supports_op`; ops that are missing it does not run. */
const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    'NONE RESHAPE VIEW PERMUTE TRANSPOSE RMS_NORM ROPE_BACK RWKV_WKV6 RWKV_WKV7'.split(' ').map((op) => [op, always]),
  ),
  ...Object.fromEntries('SQR SQRT SIN COS CLAMP LEAKY_RELU LOG TRI DIAG UNARY'.split(' ').map((op) => [op, floats])),
  ...Object.fromEntries('ADD SUB MUL DIV'.split(' ').map((op) => [op, elementwise])),
  ...Object.fromEntries(
    'SCALE DIAG_MASK_INF SOFT_MAX ARGMAX POOL_1D POOL_2D'.split(' ').map((op) => [op, contiguousF32]),
  ),
  ...Object.fromEntries('SUM SUM_ROWS MEAN CUMSUM'.split(' ').map((op) => [op, floatRows])),
  ...Object.fromEntries(
    'NORM L2_NORM UPSCALE PAD PAD_REFLECT_1D ROLL TIMESTEP_EMBEDDING SSM_CONV'.split(' ').map((op) => [op, ofF32]),
  ),
  ...Object.fromEntries('ADD_ID ACC'.split(' ').map((op) => [op, ofF32])),
  GLU: gated,
  MUL_MAT: matrixProduct,
  MUL_MAT_ID: matrixProduct,
  FLASH_ATTN_EXT: flashAttention,
  GET_ROWS: (_, a) => MATRIX_TYPES.has(a.type.name) || a.type === I32,
  SET_ROWS: (op, a, b) => isFloat(a) && (b?.type === I32 || b?.type === I64) && WRITABLE_TYPES.has(op.type.name),
  SET: (op, a, b) => a.type === b?.type && a.type === op.type && (a.type === F32 || a.type === I32),
  CPY: copies,
  CONT: copies,
  DUP: copies,
  REPEAT: (op, a) => op.type.bytesPerBlock === a.type.bytesPerBlock && [2, 4].includes(op.type.bytesPerBlock),
  ROPE: (op, a) => hasContiguousRows(op) && hasContiguousRows(a),
  GROUP_NORM: (_, a) => isContiguous(a),
  ARGSORT: (op, a) => isContiguous(op) && isContiguous(a),
  TOP_K: (op, a) => isContiguous(op) && isContiguous(a),
  CONCAT: concatenates,
  ARANGE: (op) => op.type === F32,
  FILL: isFloat,
  OUT_PROD: (op, a, b) => allF32(op, a, b) && isContiguous(a) && b !== null && isContiguous(b),
  IM2COL: (op, _, b) => b !== null && isContiguous(b) && b.type === F32 && isFloat(op),
  CONV_2D_DW: (_, a, b) => isFloat(a) && b?.type === F32,
  CONV_2D: (op, a, b) => isFloat(a) && b?.type === F32 && [a, b, op].every(isContiguous),
  GATED_LINEAR_ATTN: (op, a) => allF32(op, a, null) && a.ne[0] === GATED_LINEAR_HEAD_SIZE,
  GATED_DELTA_NET: (op, a, b) => allF32(op, a, b) && DELTA_NET_SIZES.has(op.src[2]?.ne[0] ?? 0),
  LIGHTNING_INDEXER: (_, q, k) => q.ne[0] === INDEXER_HEAD_SIZE && k !== null && INDEXER_KEY_TYPES.has(k.type.name),
  DSV4_HC_COMB: allF32,
  DSV4_HC_PRE: (op, a, b) => allF32(op, a, b) && a.ne[1] === STREAMS,
  DSV4_HC_POST: (op, a, b) => allF32(op, a, b) && b?.ne[1] === STREAMS,
  SSM_SCAN: scans,
};

/** The backend of one GPU: it runs nothing that reads another's memory. */
export function vulkanBackend(device: number): Backend {
  return {
    memory: device,
    alignment: ALIGNMENT,
    maxBuffer: MAX_BUFFER,
    readsRepacked: false,
    supportsOp(op) {
      if (tensorBytes(op) > LARGEST_TENSOR_BYTES) return false;
      for (const source of op.src) {
        if (!source) continue;
        const holder = source.buffer?.device;
        if (holder !== undefined && holder !== 'cpu' && holder !== device) return false;
        if (tensorBytes(source) > LARGEST_TENSOR_BYTES) return false;
      }
      const rule = RULES[op.op];
      return rule !== undefined && rule(op, op.src[0] ?? op, op.src[1] ?? null);
    },
    offloadsOp: hasManyRows,
    allocSize: tensorBytes,
    optimize: reorder,
  };
}

/** The CPU beside it, whose intermediate results lie in the GPU's host buffers. */
export const cpuBesideVulkan: Backend = { ...cpuBackend, alignment: HOST_ALIGNMENT, maxBuffer: MAX_BUFFER };
