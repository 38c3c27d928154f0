import { ggmlTypeByName } from '../../../gguf/ggml-types.js';
import { type Backend, BUFFER_ALIGNMENT } from '../backend.js';
import { elements, F16, F32, isContiguous, isEmptyOp, type Tensor, tensorBytes } from '../tensor.js';

/** Types that the CPU backend cannot quantize to: no `from_float` in `ggml-cpu.cpp`. */
const NOT_WRITABLE = new Set(['IQ3_XXS', 'IQ3_S', 'IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ1_S', 'IQ1_M']);

/** `vec_dot_type` of `ggml-cpu.c`: what a matrix product reads its second source as. Quantized types not listed: Q8_K. */
const VEC_DOT: Record<string, string> = {
  F32: 'F32',
  F16: 'F16',
  BF16: 'BF16',
  Q4_0: 'Q8_0',
  Q4_1: 'Q8_1',
  Q5_0: 'Q8_0',
  Q5_1: 'Q8_1',
  Q8_0: 'Q8_0',
  Q8_1: 'Q8_1',
  MXFP4: 'Q8_0',
  NVFP4: 'Q8_0',
  IQ4_NL: 'Q8_0',
  Q1_0: 'Q8_0',
  Q2_0: 'Q8_0',
  F8_E4M3: 'F32',
};

/** `ggml_backend_cpu_device_supports_op` (`ggml/src/ggml-cpu/ggml-cpu.cpp`, llama.cpp v0.5.0). */
function supportsOp(op: Tensor): boolean {
  if (isEmptyOp(op.op)) return true;
  for (let i = 0; i < 4; i++) if (op.src[i]?.buffer?.repacked) return multipliesRepacked(op);
  const a = op.src[0];
  const b = op.src[1];
  if (op.op === 'CPY' || op.op === 'SET_ROWS') return !NOT_WRITABLE.has(op.type.name);
  if (op.op === 'MUL_MAT' && a && b) {
    if (op.variant === 'hadamard') return b.type === F32 || b.type === F16;
    return b.type === F32 || b.type === ggmlTypeByName(VEC_DOT[a.type.name] ?? 'Q8_K');
  }
  if (op.op === 'CONV_2D') return a === null || a === undefined || isContiguous(a);
  if (op.op === 'SSM_SCAN') return op.snapshots === 1 || op.src[3]?.ne[0] === 1;
  return true;
}

/** `extra_buffer_type::supports_op` (`ggml/src/ggml-cpu/repack.cpp`). */
function multipliesRepacked(op: Tensor): boolean {
  const [weights, b] = op.src;
  if (!weights?.buffer?.repacked || b?.type !== F32) return false;
  if (b.buffer && (b.buffer.device !== 'cpu' || b.buffer.repacked)) return false;
  return op.op === 'MUL_MAT' || op.op === 'MUL_MAT_ID';
}

export const cpuBackend: Backend = {
  memory: 'cpu',
  alignment: BUFFER_ALIGNMENT,
  readsRepacked: true,
  supportsOp,
  offloadsOp: () => false,
  allocSize: tensorBytes,
};

/** Below this many rows or columns BLAS leaves a product to the CPU backend. */
const BLAS_MIN_BATCH = 32;

/** `ggml_backend_blas_device_supports_op` (`ggml/src/ggml-blas/ggml-blas.cpp`, llama.cpp v0.5.0): Accelerate on Macs. */
function blasSupportsOp(op: Tensor): boolean {
  if (isEmptyOp(op.op)) return true;
  if (op.op !== 'MUL_MAT' || op.variant === 'hadamard') return false;
  const a = op.src[0];
  const b = op.src[1];
  if (!a || !b) return false;
  return (
    isContiguous(a) &&
    isContiguous(b) &&
    b.type === F32 &&
    op.ne[0] >= BLAS_MIN_BATCH &&
    op.ne[1] >= BLAS_MIN_BATCH &&
    b.ne[0] >= BLAS_MIN_BATCH &&
    elements(a) > 0
  );
}

export const blasBackend: Backend = {
  memory: 'cpu',
  alignment: BUFFER_ALIGNMENT,
  readsRepacked: false,
  supportsOp: blasSupportsOp,
  offloadsOp: () => false,
  allocSize: tensorBytes,
};
