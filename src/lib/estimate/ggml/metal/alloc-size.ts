import type { Switches } from '../../../runtime/llama-cpp.js';
import { elements, F32, isViewOf, pad, type Tensor, tensorBytes } from '../tensor.js';

/*
 * Room that Metal's kernels need beside their result (llama.cpp v0.5.0): `ggml_backend_metal_buffer_type_get_alloc_size`
 * (`ggml-metal.cpp`) with the `ggml_metal_op_*_extra_*` functions of `ggml-metal-ops.cpp`.
 */

const TILE_ROWS = 32;
const I32_BYTES = 4;
const F16_BYTES = 2;
/** `N_MM_NPART_AMAX` per-threadgroup scales and two more (`ggml-metal-impl.h`). */
const AMAX_BYTES = 8 + 256 * 4;
/** Cache positions and queries that one simdgroup handles: `OP_FLASH_ATTN_EXT_*` (`ggml-metal-impl.h`). */
const FULL_KERNEL = { queries: 8, cells: 64 };
const VEC_KERNEL = { queries: 1, cells: 32 };
const VEC_MAX_QUERIES = 20;
const WORKGROUPS = 32;
const DEQUANTIZED = new Set(['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']);
const DEQUANTIZE_MIN_QUERIES = 32;

/** Bytes to reserve for a tensor in a Metal buffer. */
export function allocSize(tensor: Tensor, llama: Switches): number {
  const bytes = tensorBytes(tensor);
  switch (tensor.op) {
    case 'MUL_MAT_ID':
      return bytes + mulMatIdExtra(tensor, llama);
    case 'FLASH_ATTN_EXT':
      return bytes + flashAttnExtra(tensor, llama);
    case 'TOP_K':
      return 2 * I32_BYTES * elements(tensor.src[0] as Tensor);
    case 'ARGSORT':
    case 'CUMSUM':
      return bytes * 2;
    default:
      return bytes;
  }
}

/**
 * Which tokens go to which expert: before b11435..b12032 a list for each expert, from then on tiles of 32 rows over all
 * pairs of expert and token (`ggml_metal_op_mul_mat_id_extra_tpe` and `_ids`).
 */
function mulMatIdExtra({ src }: Tensor, { metalExpertTiles, metalFusionTable }: Switches): number {
  const experts = (src[0] as Tensor).ne[2];
  const [used, tokens] = (src[2] as Tensor).ne;
  if (!metalExpertTiles) {
    return I32_BYTES * experts + I32_BYTES * experts * tokens + (metalFusionTable ? AMAX_BYTES : 0);
  }
  const rows = used * tokens;
  const tiles = Math.min(rows, Math.ceil(rows / TILE_ROWS) + Math.min(experts, rows) - 1);
  return I32_BYTES * (1 + 3 * tiles) + I32_BYTES * (rows + experts);
}

function flashAttnExtra(op: Tensor, { metalHalfCopies }: Switches): number {
  const [q, k, v, mask] = op.src as [Tensor, Tensor, Tensor, Tensor | null];
  const copies = metalHalfCopies ? f16Copies(k, v) : 0;
  return padArea(q, k, v, mask, metalHalfCopies) + blockArea(q, mask) + temporaryArea(q, v) + copies + indexArea(op);
}

/** `extra_pad`: the last, incomplete piece of K, V and mask. */
function padArea(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, halfCopies: boolean): number {
  let rowK = k.nb[1];
  let rowV = v.nb[1];
  if (halfCopies && q.ne[1] >= DEQUANTIZE_MIN_QUERIES && DEQUANTIZED.has(k.type.name)) {
    rowK = F16_BYTES * k.ne[0];
    rowV = F16_BYTES * (isViewOf(v, k) ? k.ne[0] : v.ne[0]);
  }
  const maskRows = mask ? F16_BYTES * mask.ne[1] * mask.ne[2] * mask.ne[3] : 0;
  return FULL_KERNEL.cells * (rowK * k.ne[2] * k.ne[3] + rowV * v.ne[2] * v.ne[3] + maskRows);
}

/** `extra_blk`: one byte for each block of the mask. */
function blockArea(q: Tensor, mask: Tensor | null): number {
  if (!mask) return 0;
  const { queries, cells } = q.ne[1] < VEC_MAX_QUERIES && q.ne[0] % 32 === 0 ? VEC_KERNEL : FULL_KERNEL;
  return pad(Math.ceil(mask.ne[0] / cells) * Math.ceil(q.ne[1] / queries) * mask.ne[2] * mask.ne[3], 32);
}

/** `extra_tmp`: results of each workgroup with their two softmax values. */
function temporaryArea(q: Tensor, v: Tensor): number {
  return F32.bytesPerBlock * Math.min(q.ne[1], 32) * q.ne[2] * q.ne[3] * WORKGROUPS * (v.ne[0] + 2);
}

/** `extra_kv_f16`: one layer's K and V as f16 over the whole cache, reserved whatever the cache type. */
function f16Copies(k: Tensor, v: Tensor): number {
  const copyK = pad(F16_BYTES * k.ne[0] * k.ne[1] * k.ne[2] * k.ne[3], 16);
  if (isViewOf(v, k)) return copyK;
  return copyK + pad(F16_BYTES * v.ne[0] * v.ne[1] * v.ne[2] * v.ne[3], 16);
}

/** Kernels for few open cells exist for these head sizes of K and V. */
const SPARSE_HEADS = new Set([
  '32x32',
  '64x64',
  '96x96',
  '96x64',
  '128x128',
  '192x128',
  '192x192',
  '256x256',
  '320x256',
  '512x512',
  '576x512',
]);
const SPARSE_TYPES = new Set(['F16', 'BF16', 'F32', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0']);
const SPARSE_MAX_CELLS = 4096;

/** `extra_idx`: the open cells of each token, where there are few enough. */
function indexArea({ src, cellsLeft }: Tensor): number {
  const [, k, v, mask] = src as [Tensor, Tensor, Tensor, Tensor | null];
  if (cellsLeft <= 0 || cellsLeft > SPARSE_MAX_CELLS || !mask) return 0;
  if (!SPARSE_HEADS.has(`${k.ne[0]}x${v.ne[0]}`) || !SPARSE_TYPES.has(k.type.name)) return 0;
  return pad(I32_BYTES * pad(cellsLeft, VEC_KERNEL.cells) * mask.ne[1] * mask.ne[2] * mask.ne[3], 16);
}
