import { result } from './ops.js';
import { elements, F32, type Tensor } from '../tensor.js';

/*
 * What layers with a state need beside ops.ts: `ggml/src/ggml.c` (llama.cpp v0.5.0), shapes and sources only.
 */

export function ssmConv(sx: Tensor, kernel: Tensor): Tensor {
  return result('SSM_CONV', F32, [kernel.ne[1], sx.ne[0] - kernel.ne[0] + 1, sx.ne[2], 1], sx, kernel);
}

/** Output and new states one after the other: `s` state, `x` input, `ids` the sequences' rows. */
export function ssmScan(
  s: Tensor,
  x: Tensor,
  dt: Tensor,
  a: Tensor,
  b: Tensor,
  c: Tensor,
  ids: Tensor,
  snapshots = 1,
): Tensor {
  const size = elements(x) + snapshots * s.ne[0] * s.ne[1] * s.ne[2] * ids.ne[0];
  const tensor = result('SSM_SCAN', F32, [size, 1, 1, 1], s, x, dt, a, b, c, ids);
  tensor.snapshots = snapshots;
  return tensor;
}

export function gatedDeltaNet(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  gate: Tensor,
  beta: Tensor,
  state: Tensor,
  snapshots = 1,
): Tensor {
  const [headSize, heads, tokens, sequences] = v.ne;
  const rows = tokens * sequences + snapshots * headSize * sequences;
  const tensor = result('GATED_DELTA_NET', F32, [headSize * heads, rows, 1, 1], q, k, v, gate, beta, state);
  tensor.snapshots = snapshots;
  return tensor;
}
