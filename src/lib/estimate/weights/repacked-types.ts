import type { GgufTensor } from '../../gguf/header.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { WeightOp } from './weight-op.js';

/** Types for which the CPU backend has an interleaved layout, and what the row count must be divisible by. */
const REPACKED_TYPES: Readonly<Record<'x86' | 'arm', Readonly<Record<string, number>>>> = {
  x86: { Q4_0: 8, Q4_K: 8, IQ4_NL: 8, MXFP4: 8 },
  arm: { Q4_0: 4, Q4_K: 8, Q5_K: 8, Q6_K: 8, IQ4_NL: 4, MXFP4: 4, Q8_0: 4, Q1_0: 4 },
};

/** Whether the CPU keeps a copy in its own layout: `ggml_repack_get_optimal_repack_type` (`ggml/src/ggml-cpu/repack.cpp`). */
export function repacks(
  { repack, cpuArch, accelerator }: LaunchOptions,
  op: WeightOp,
  { dims, type }: Pick<GgufTensor, 'dims' | 'type'>,
): boolean {
  if (repack === false) return false;
  const divisor = REPACKED_TYPES[cpuArch ?? (accelerator === 'metal' ? 'arm' : 'x86')][type.name];
  const used = dims.findLastIndex((n) => n > 1) + 1;
  const matrix = op === 'MUL_MAT' ? used === 2 : op === 'MUL_MAT_ID' && used === 3;
  return matrix && divisor !== undefined && (dims[1] ?? 1) % divisor === 0;
}
