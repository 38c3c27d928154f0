import type { GgmlType } from '../../../gguf/ggml-types.js';
import { graphError } from '../graph-error.js';
import {
  elements,
  F16,
  F32,
  I32,
  isEmptyTensor,
  sameShape,
  type Tensor,
  tensorBytes,
  tensorBytesOf,
} from '../tensor.js';

/*
 * What ggml asserts of the tensors that it is given (`GGML_ASSERT` in `ggml/src/ggml.c`, llama.cpp v0.5.0), where a header's
 * numbers can break it. Each throws CheckIncompleteError MODEL_GRAPH_INVALID.
 */

/** `ggml_can_repeat`: a small operand fills a large one a whole number of times in each dimension. */
export function requireRepeats(op: string, small: Tensor, large: Tensor): void {
  const can = isEmptyTensor(small)
    ? isEmptyTensor(large)
    : large.ne[0] % small.ne[0] === 0 &&
      large.ne[1] % small.ne[1] === 0 &&
      large.ne[2] % small.ne[2] === 0 &&
      large.ne[3] % small.ne[3] === 0;
  if (!can) throw misfit(op, large, small);
}

/** What some ops read as one type only, whatever a file has. */
function requireType(op: string, { type }: Tensor, ...taken: readonly GgmlType[]): void {
  if (!taken.includes(type))
    throw graphError(`${op} of ${type.name}, not ${taken.map(({ name }) => name).join(' or ')}`);
}

export function requireNumbers(op: string, ...tensors: readonly (Tensor | null)[]): void {
  for (const tensor of tensors) if (tensor) requireType(op, tensor, F32);
}

/** Rows, cells or experts by number. */
export function requireIds(op: string, ids: Tensor): void {
  requireType(op, ids, I32);
}

export function requireAlike(op: string, a: Tensor, b: Tensor): void {
  requireType(op, b, a.type);
  requireSameShape(op, a, b);
}

function requireSameShape(op: string, a: Tensor, b: Tensor): void {
  if (!sameShape(a, b)) throw misfit(op, a, b);
}

/** `ggml_reshape`, `ggml_cont_4d`: as many elements as there are, in sizes that are whole numbers there, whatever was divided to get them. */
export function requireElements(op: string, a: Tensor, ne: Tensor['ne']): void {
  const [ne0, ne1, ne2, ne3] = ne;
  if (elements(a) === Math.trunc(ne0) * Math.trunc(ne1) * Math.trunc(ne2) * Math.trunc(ne3)) return;
  throw graphError(`${op} of [${a.ne.join(' ')}] to [${ne.join(' ')}]`);
}

/** What is shared among heads or groups, each of which gets as much of it as the others. */
export function requireShares(what: string, count: number, shares: number): void {
  if (shares === 0 || count % shares !== 0) throw graphError(`${count} ${what} among ${shares}`);
}

/** `ggml_set_rows`: rows of the destination's length, one for each index. */
export function requireSettable(destination: Tensor, rows: Tensor, indices: Tensor): void {
  const [ne0, , ne2, ne3] = destination.ne;
  const fits = ne0 === rows.ne[0] && ne2 === rows.ne[2] && ne3 === rows.ne[3] && rows.ne[1] === indices.ne[0];
  if (!fits) throw misfit('set_rows', destination, rows);
  requireType('set_rows', rows, F32, F16);
}

/** `ggml_add_id`: a row for each expert that a token uses. */
export function requireRowsById(a: Tensor, b: Tensor, ids: Tensor): void {
  if (a.ne[0] !== b.ne[0] || a.ne[1] !== ids.ne[0] || a.ne[2] !== ids.ne[1]) throw misfit('add_id', a, b);
  requireIds('add_id', ids);
}

/** `ggml_argsort_top_k`, `ggml_top_k`: as many as there are, at most. */
export function requireEnough(op: string, { ne: [length] }: Tensor, k: number): void {
  if (length < k) throw graphError(`the best ${k} of ${length} by ${op}`);
}

/** `ggml_concat`: alike in every other dimension. */
export function requireJoinable(a: Tensor, b: Tensor, dim: number): void {
  if (a.ne.some((size, i) => i !== dim && size !== b.ne[i])) throw misfit('concat', a, b);
}

/** `ggml_rope_impl`: one position a token, or four. */
export function requirePositions(a: Tensor, positions: Tensor, factors: Tensor | null): void {
  if (a.ne[2] !== positions.ne[0] && a.ne[2] * 4 !== positions.ne[0]) throw misfit('rope', a, positions);
  requireNumbers('rope', factors);
}

/** `ggml_soft_max_add_sinks`, `ggml_flash_attn_ext_add_sinks`: one a head. */
export function requireSinks(op: string, heads: number, sinks: Tensor | null): void {
  if (sinks && sinks.ne[0] !== heads) throw graphError(`${op} of ${heads} heads with ${sinks.ne[0]} sinks`);
  requireNumbers(op, sinks);
}

/** `ggml_new_tensor_impl`: what a view shows is there, if it shows anything. */
export function requireInside(view: Tensor, shown: Tensor): void {
  const bytes = tensorBytesOf(view);
  if (bytes > 0 && (view.viewOffset ?? 0) + bytes > tensorBytes(shown)) throw misfit('view', shown, view);
}

function misfit(op: string, a: Tensor, b: Tensor): Error {
  return graphError(`${op} of [${a.ne.join(' ')}] and [${b.ne.join(' ')}]`);
}
