import type { Switches } from '../../../runtime/llama-cpp.js';
import { type Backend, BUFFER_ALIGNMENT } from '../backend.js';
import {
  F16,
  F32,
  hasContiguousRows,
  isContiguous,
  isContiguousAboveRows,
  isFloat,
  isTransposed,
  sameShape,
  type Op,
  type Tensor,
} from '../tensor.js';
import { allocSize } from './alloc-size.js';
import { chainLength } from './chain-packing.js';
import { fewRowsTypes } from './fusion-patterns.js';
import { fusedLength, type FusionTable, fusionTable, keepFusedInputs } from './fusion.js';
import { groupBounds, type KnownOrders, reorder } from './reorder.js';

/*
 * What Metal runs: `ggml_metal_device_supports_op` (`ggml/src/ggml-metal/ggml-metal-device.m`, llama.cpp v0.5.0) on a GPU
 * with simdgroup matrices, simdgroup reductions and bfloat16, which every Apple silicon GPU has.
 */

type Rule = (op: Tensor, a: Tensor, b: Tensor | null) => boolean;

const always: Rule = () => true;
const floatRows: Rule = (_, a) => hasContiguousRows(a) && isFloat(a);
const contiguousRows: Rule = (_, a) => hasContiguousRows(a);
const elementwise: Rule = (_, a, b) =>
  b !== null && hasContiguousRows(a) && hasContiguousRows(b) && isFloat(a) && a.type === b.type;

const HEAD_SIZES = new Set([32, 40, 48, 64, 72, 80, 96, 112, 128, 192, 256, 320, 512, 576]);
const FLASH_ATTN_TYPES = new Set(['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1']);
const CONCAT_TYPES = new Set(['F32', 'F16', 'BF16', 'I8', 'I16', 'I32', 'I64', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']);
const SET_ROWS_TYPES = new Set(['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'IQ4_NL', 'TQ2_0']);
const NO_MATRIX_KERNEL = new Set(['NVFP4', 'TQ1_0', 'F8_E4M3']);
const FWHT_SIZES = new Set([64, 128, 256, 512]);

/** Types that CPY, CONT, DUP and SET convert to, by the type they read. */
const COPY_TYPES: Record<string, ReadonlySet<string>> = {
  F32: new Set([...SET_ROWS_TYPES, 'Q1_0', 'Q2_0', 'I32']),
  F16: new Set(['F32', 'F16']),
  BF16: new Set(['F32', 'BF16']),
  I32: new Set(['F32', 'I32']),
  ...Object.fromEntries(
    ['Q1_0', 'Q2_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'TQ2_0'].map((name) => [name, new Set(['F32', 'F16'])]),
  ),
};

const copies: Rule = (op, a) => COPY_TYPES[a.type.name]?.has(op.type.name) ?? false;

/** `ggml_metal_op_mul_mat_use_mm` and `ggml_metal_supports_mul_mat_op`. */
const mulMat: Rule = (op, a, b) => {
  if (!b || NO_MATRIX_KERNEL.has(a.type.name)) return a.type === F32 && usesFwht(op, b);
  if (b.type !== F16 || (a.type === F32 && usesFwht(op, b))) return true;
  if (a.type.name === 'BF16') return false;
  return a.type === F16 || (!isTransposed(a) && !isTransposed(b) && a.ne[0] >= 64 && b.ne[1] > 8);
};

function usesFwht(op: Tensor, b: Tensor | null): boolean {
  return op.variant === 'hadamard' && b !== null && isContiguous(b) && sameShape(b, op) && FWHT_SIZES.has(b.ne[0]);
}

const mulMatId: Rule = (op, a, b) => {
  if (!b || NO_MATRIX_KERNEL.has(a.type.name)) return false;
  if (b.type !== F16) return true;
  return a.type.name !== 'BF16' && a.ne[0] >= 64 && (op.src[2]?.ne[1] ?? 0) >= 32;
};

/** The only kernels whose V heads are narrower than K's, where a version has a list of them. */
const NARROWER_V = new Set(['96 64', '128 96', '192 128', '320 256', '576 512']);

const flashAttnWith =
  (metalListedHeadPairs: boolean): Rule =>
  (op, q, k) => {
    const v = op.src[2];
    if (!k || !v || !HEAD_SIZES.has(q.ne[0])) return false;
    const [ofK, ofV] = [k.ne[0], v.ne[0]];
    const narrower = metalListedHeadPairs ? NARROWER_V.has(`${ofK} ${ofV}`) : ofK > ofV && ofK !== 72;
    return (ofK === ofV || narrower) && k.type === v.type && FLASH_ATTN_TYPES.has(k.type.name);
  };

const INDEXER_HEADS = 64;
const INDEXER_HEAD_SIZE = 128;
const INDEXER_KEY_TYPES = new Set(['F32', 'F16', 'BF16', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']);

const indexes: Rule = (op, q, k) => {
  const [, , weights, mask] = op.src;
  if (!k || !weights || !mask || q.ne[0] !== INDEXER_HEAD_SIZE) return false;
  if (q.type !== F32 || weights.type !== F32 || mask.type !== F16 || op.type !== F32) return false;
  return INDEXER_KEY_TYPES.has(k.type.name) && [q, k, weights, mask].every(hasContiguousRows);
};

const indexesWith =
  (anyHeads: boolean): Rule =>
  (op, q, k) =>
    (anyHeads || q.ne[1] === INDEXER_HEADS) && indexes(op, q, k);

const floatStreams: Rule = ({ src }) =>
  src.every((tensor) => tensor === null || (tensor.type === F32 && hasContiguousRows(tensor)));

/** The kernels are written for four streams. */
const STREAMS = 4;

const mixesStreams: Rule = (op, mixes, scale) =>
  floatStreams(op, mixes, scale) &&
  mixes.ne[0] === (2 + STREAMS) * STREAMS &&
  (scale?.ne[0] ?? 0) >= 3 &&
  op.src[2]?.ne[0] === (2 + STREAMS) * STREAMS;

const spreadsOverStreams: Rule = (op, a, residual) => {
  const [, , post, mixes] = op.src;
  if (!floatStreams(op, a, residual) || residual?.ne[1] !== STREAMS || post?.ne[0] !== STREAMS) return false;
  return !mixes || (mixes.ne[0] === STREAMS && mixes.ne[1] === STREAMS);
};

const RULES: Partial<Record<Op, Rule>> = {
  NONE: always,
  RESHAPE: always,
  VIEW: always,
  TRANSPOSE: always,
  PERMUTE: always,
  SCALE: floatRows,
  FILL: floatRows,
  CLAMP: floatRows,
  SQR: floatRows,
  SQRT: floatRows,
  SIN: floatRows,
  COS: floatRows,
  LOG: floatRows,
  UNARY: floatRows,
  GLU: (_, a) => isContiguousAboveRows(a) && isFloat(a),
  CONCAT: (op, a, b) => a.type === b?.type && a.type === op.type && CONCAT_TYPES.has(a.type.name),
  ADD: elementwise,
  SUB: elementwise,
  MUL: elementwise,
  DIV: elementwise,
  ADD_ID: elementwise,
  REPEAT: always,
  SUM_ROWS: contiguousRows,
  CUMSUM: contiguousRows,
  MEAN: contiguousRows,
  SOFT_MAX: contiguousRows,
  NORM: contiguousRows,
  L2_NORM: contiguousRows,
  RMS_NORM: contiguousRows,
  ROPE: always,
  ROPE_BACK: always,
  PAD: ({ variant }) => variant !== 'around',
  ARGMAX: always,
  ARANGE: always,
  ROLL: (_, a) => isContiguous(a),
  UPSCALE: (_, a) => a.type === F32,
  POOL_1D: (_, a) => isContiguous(a) && a.type === F32,
  POOL_2D: (_, a) => a.type === F32,
  CONV_2D: (op, kernel, b) => isContiguous(kernel) && isFloat(kernel) && b?.type === F32 && op.type === F32,
  CONV_2D_DW: (op, kernel, b) => isFloat(kernel) && b?.type === F32 && op.type === F32,
  IM2COL: (op, _, b) => b !== null && isContiguous(b) && b.type === F32 && (op.type === F16 || op.type === F32),
  ARGSORT: always,
  TOP_K: always,
  TOP_K_MASK: always,
  DSV4_HC_COMB: mixesStreams,
  DSV4_HC_PRE: floatStreams,
  DSV4_HC_POST: spreadsOverStreams,
  SSM_SCAN: always,
  RWKV_WKV6: always,
  RWKV_WKV7: always,
  SSM_CONV: always,
  GATED_DELTA_NET: (op) => (op.src[2]?.ne[0] ?? 1) % 32 === 0,
  MUL_MAT: mulMat,
  MUL_MAT_ID: mulMatId,
  CPY: copies,
  DUP: copies,
  CONT: copies,
  SET: copies,
  GET_ROWS: (_, a) => !NO_MATRIX_KERNEL.has(a.type.name),
  SET_ROWS: (op, a) => (a.type === F16 ? op.type === F16 : a.type === F32 && SET_ROWS_TYPES.has(op.type.name)),
};

function supportsWith(rules: Partial<Record<Op, Rule>>): Backend['supportsOp'] {
  return (op) => {
    const rule = rules[op.op];
    return rule !== undefined && rule(op, op.src[0] ?? op, op.src[1] ?? null);
  };
}

/** What a version runs. */
function rulesOf({ metalListedHeadPairs, metalAnyIndexerHeads }: Switches): Partial<Record<Op, Rule>> {
  return {
    ...RULES,
    FLASH_ATTN_EXT: flashAttnWith(metalListedHeadPairs),
    LIGHTNING_INDEXER: indexesWith(metalAnyIndexerHeads),
  };
}

/** Batches from this size on are worth bringing host weights to the GPU: `op_offload_min_batch_size`. */
const OFFLOAD_MIN_BATCH = 32;

/** `ggml_backend_metal_device_offload_op` (`ggml/src/ggml-metal/ggml-metal.cpp`). */
function offloadsOp({ op, ne }: Tensor): boolean {
  if (op === 'MUL_MAT') return ne[1] >= OFFLOAD_MIN_BATCH;
  return op === 'MUL_MAT_ID' && ne[2] >= OFFLOAD_MIN_BATCH;
}

/** `MTLDevice.maxBufferLength` of a Mac with 48 GiB; those of larger ones are larger, so they may need fewer buffers. */
const MAX_BUFFER = 36 * 2 ** 30;

/** Metal as the llama.cpp with these switches drives it. */
export function metalBackend(llama: Switches): Backend {
  return {
    memory: 0,
    alignment: BUFFER_ALIGNMENT,
    maxBuffer: MAX_BUFFER,
    readsRepacked: false,
    supportsOp: supportsWith(rulesOf(llama)),
    offloadsOp,
    allocSize: (tensor) => allocSize(tensor, llama),
    ...(llama.metalMatrixAdd && { typeTrait: traitOf(fewRowsTypes(llama.metalMatrixAddTypes)) }),
    ...(llama.metalFusionTable ? byTable(fusionTable(llama)) : byChains()),
  };
}

function traitOf(fewRows: ReadonlySet<string>): NonNullable<Backend['typeTrait']> {
  return ({ name }, product) => (product === 'MUL_MAT' && fewRows.has(name) ? 'few-rows' : '');
}

type Optimization = Required<Pick<Backend, 'optimize' | 'optimizesBy'>>;

function byChains(): Optimization {
  const known: KnownOrders = [];
  return {
    optimize: (nodes) => reorder(nodes, chainLength, known),
    optimizesBy: (nodes) => groupBounds(nodes, chainLength),
  };
}

function byTable(table: FusionTable): Optimization {
  const known: KnownOrders = [];
  const packed = (nodes: readonly Tensor[], start: number): number => fusedLength(nodes, start, table);
  return {
    optimize: (nodes, keepUntil) => {
      keepFusedInputs(nodes, table, keepUntil);
      reorder(nodes, packed, known);
    },
    optimizesBy: (nodes) => groupBounds(nodes, packed),
  };
}
