import type { GgmlType } from '../../../gguf/ggml-types.js';
import { rowBytes } from '../../../gguf/ggml-types.js';
import {
  contiguousStrides,
  contiguousStridesLike,
  elements,
  F32,
  type Four,
  I32,
  isContiguous,
  type Op,
  Tensor,
} from '../tensor.js';
import { graphError } from '../graph-error.js';
import {
  requireAlike,
  requireElements,
  requireEnough,
  requireIds,
  requireInside,
  requireJoinable,
  requirePositions,
  requireRepeats,
  requireRowsById,
  requireSettable,
  requireSinks,
} from './operands.js';

/*
 * The constructors of ggml/src/ggml.c (llama.cpp v0.5.0), as far as they decide shapes, strides, sources and views. Each
 * function here is `ggml_` plus its name in snake case.
 */

/** Neither an input nor a weight. */
export function newTensor(type: GgmlType, ne0: number, ne1 = 1, ne2 = 1, ne3 = 1): Tensor {
  const ne: Four = [ne0, ne1, ne2, ne3];
  return new Tensor(type, ne, contiguousStrides(type, ne));
}

export function newInput(type: GgmlType, ne0: number, ne1 = 1, ne2 = 1, ne3 = 1): Tensor {
  const tensor = newTensor(type, ne0, ne1, ne2, ne3);
  tensor.isInput = true;
  return tensor;
}

/** An array that V8 puts among the young: see `Tensor.src`. */
function listOf(...tensors: Tensor[]): Tensor[] {
  return tensors;
}

/** A node with memory of its own, contiguous. */
export function result(op: Op, type: GgmlType, ne: Four, ...src: (Tensor | null)[]): Tensor {
  const tensor = new Tensor(type, ne, contiguousStrides(type, ne), src);
  tensor.op = op;
  return tensor;
}

/** Of the first source's type and shape. */
function like(op: Op, ...src: [Tensor, ...(Tensor | null)[]]): Tensor {
  const a = src[0];
  const tensor = new Tensor(a.type, a.ne, contiguousStridesLike(a), src);
  tensor.op = op;
  return tensor;
}

function viewOf(op: Op, a: Tensor, ne: Four, nb: Four, offset: number, src: (Tensor | null)[] = listOf(a)): Tensor {
  const tensor = new Tensor(a.type, ne, nb, src);
  tensor.op = op;
  tensor.viewSrc = a.viewSrc ?? a;
  tensor.viewOffset = (a.viewOffset ?? 0) + offset;
  requireInside(tensor, tensor.viewSrc);
  return tensor;
}

/** An op whose result is what it changes. */
function inPlace(op: Op, a: Tensor, ...src: (Tensor | null)[]): Tensor {
  return viewOf(op, a, a.ne, a.nb, 0, src);
}

export function view1d(a: Tensor, ne0: number, offset: number): Tensor {
  const ne: Four = [ne0, 1, 1, 1];
  return viewOf('VIEW', a, ne, contiguousStrides(a.type, ne), offset);
}

export function view2d(a: Tensor, ne0: number, ne1: number, nb1: number, offset: number): Tensor {
  return viewOf('VIEW', a, [ne0, ne1, 1, 1], [a.type.bytesPerBlock, nb1, nb1 * ne1, nb1 * ne1], offset);
}

export function view3d(
  a: Tensor,
  [ne0, ne1, ne2]: [number, number, number],
  nb1: number,
  nb2: number,
  offset: number,
): Tensor {
  return viewOf('VIEW', a, [ne0, ne1, ne2, 1], [a.type.bytesPerBlock, nb1, nb2, nb2 * ne2], offset);
}

export function view4d(a: Tensor, ne: Four, nb1: number, nb2: number, nb3: number, offset: number): Tensor {
  return viewOf('VIEW', a, ne, [a.type.bytesPerBlock, nb1, nb2, nb3], offset);
}

export function reshape(a: Tensor, ne0: number, ne1 = 1, ne2 = 1, ne3 = 1): Tensor {
  const ne: Four = [ne0, ne1, ne2, ne3];
  if (!isContiguous(a)) throw graphError('reshape of a tensor with gaps');
  requireElements('reshape', a, ne);
  return viewOf('RESHAPE', a, ne, contiguousStrides(a.type, ne), 0);
}

export function permute(a: Tensor, axis0: number, axis1: number, axis2: number, axis3: number): Tensor {
  const ne: [number, number, number, number] = [0, 0, 0, 0];
  const nb: [number, number, number, number] = [0, 0, 0, 0];
  [axis0, axis1, axis2, axis3].forEach((axis, i) => {
    ne[axis] = a.ne[i] as number;
    nb[axis] = a.nb[i] as number;
  });
  return viewOf('PERMUTE', a, ne, nb, 0);
}

export function transpose(a: Tensor): Tensor {
  return viewOf('TRANSPOSE', a, [a.ne[1], a.ne[0], a.ne[2], a.ne[3]], [a.nb[1], a.nb[0], a.nb[2], a.nb[3]], 0);
}

/** A tensor that nothing is written to before an op overwrites it: not an input, not a weight. */
export function newUnset(ne0: number): Tensor {
  return newTensor(F32, ne0);
}

export function set1d(a: Tensor, b: Tensor): Tensor {
  return like('SET', a, b);
}

export function cont(a: Tensor): Tensor {
  return like('CONT', a);
}

export function dup(a: Tensor): Tensor {
  return like('DUP', a);
}

export function contTo(a: Tensor, ne0: number, ne1 = 1, ne2 = 1, ne3 = 1): Tensor {
  requireElements('cont', a, [ne0, ne1, ne2, ne3]);
  return result('CONT', a.type, [ne0, ne1, ne2, ne3], a);
}

/** The result is also its own second source, as in `ggml_cast`. */
export function cast(a: Tensor, type: GgmlType): Tensor {
  const tensor = result('CPY', type, a.ne, a);
  tensor.src.push(tensor);
  return tensor;
}

export function cpy(a: Tensor, destination: Tensor): Tensor {
  return inPlace('CPY', destination, a, destination);
}

export function setRows(a: Tensor, rows: Tensor, indices: Tensor): Tensor {
  requireSettable(a, rows, indices);
  return inPlace('SET_ROWS', a, rows, indices, a);
}

export function getRows(a: Tensor, indices: Tensor): Tensor {
  requireIds('get_rows', indices);
  const type = a.type === I32 ? I32 : F32;
  return result('GET_ROWS', type, [a.ne[0], indices.ne[0], indices.ne[1], indices.ne[2]], a, indices);
}

export function mulMat(a: Tensor, b: Tensor): Tensor {
  requireProduct(a, b);
  return result('MUL_MAT', F32, [a.ne[1], b.ne[1], b.ne[2], b.ne[3]], a, b);
}

/** `ggml_can_mul_mat` (`ggml/src/ggml.c`, v0.5.0): rows of one length, and each of a's matrices for equally many of b's. */
function requireProduct(a: Tensor, b: Tensor): void {
  const can = a.ne[0] === b.ne[0] && b.ne[2] % a.ne[2] === 0 && b.ne[3] % a.ne[3] === 0;
  if (!can) throw graphError(`mul_mat of [${a.ne.join(' ')}] and [${b.ne.join(' ')}]`);
}

export function mulMatId(experts: Tensor, b: Tensor, ids: Tensor): Tensor {
  if (experts.ne[0] !== b.ne[0]) throw graphError(`mul_mat_id of [${experts.ne.join(' ')}] and [${b.ne.join(' ')}]`);
  requireIds('mul_mat_id', ids);
  return result('MUL_MAT_ID', F32, [experts.ne[1], ids.ne[0], b.ne[2], 1], experts, b, ids);
}

/** `llama_mul_mat_hadamard` (`src/llama-impl.h`): rotation of the innermost dimension in pieces of the matrix's size. */
export function mulMatHadamard(cur: Tensor, rotation: Tensor): Tensor {
  const n = rotation.ne[0];
  const rows = Math.floor(elements(cur) / n);
  const product = mulMat(rotation, isContiguous(cur) ? reshape(cur, n, rows) : contTo(cur, n, rows));
  product.variant = 'hadamard';
  return reshape(product, ...cur.ne);
}

export function add(a: Tensor, b: Tensor): Tensor {
  requireRepeats('add', b, a);
  return like('ADD', a, b);
}
export function addId(a: Tensor, b: Tensor, ids: Tensor): Tensor {
  requireRowsById(a, b, ids);
  return like('ADD_ID', a, b, ids);
}
/** The sum takes the first operand's place. */
export function addInplace(a: Tensor, b: Tensor): Tensor {
  requireRepeats('add', b, a);
  return inPlace('ADD', a, a, b);
}
export function sub(a: Tensor, b: Tensor): Tensor {
  requireRepeats('sub', b, a);
  return like('SUB', a, b);
}
export function mul(a: Tensor, b: Tensor): Tensor {
  requireRepeats('mul', b, a);
  return like('MUL', a, b);
}
export function div(a: Tensor, b: Tensor): Tensor {
  requireRepeats('div', b, a);
  return like('DIV', a, b);
}
export function sqr(a: Tensor): Tensor {
  return like('SQR', a);
}
export function sqrt(a: Tensor): Tensor {
  return like('SQRT', a);
}
export function scale(a: Tensor): Tensor {
  return like('SCALE', a);
}
export function scaleInplace(a: Tensor): Tensor {
  return inPlace('SCALE', a, a);
}
export function unaryInplace(a: Tensor, variant: UnaryOp): Tensor {
  return Object.assign(inPlace('UNARY', a, a), { variant });
}
export function log(a: Tensor): Tensor {
  return like('LOG', a);
}
export function clamp(a: Tensor): Tensor {
  return like('CLAMP', a);
}
export function fill(a: Tensor): Tensor {
  return like('FILL', a);
}
export function norm(a: Tensor): Tensor {
  return like('NORM', a);
}
export function l2Norm(a: Tensor): Tensor {
  return like('L2_NORM', a);
}
export function rmsNorm(a: Tensor): Tensor {
  return like('RMS_NORM', a);
}
export type UnaryOp =
  | 'silu'
  | 'gelu'
  | 'gelu_erf'
  | 'gelu_quick'
  | 'relu'
  | 'xielu'
  | 'tanh'
  | 'sigmoid'
  | 'hardsigmoid'
  | 'hardswish'
  | 'softplus'
  | 'exp'
  | 'neg'
  | 'abs'
  | 'ceil'
  | 'round'
  | 'sgn';

export function unary(a: Tensor, variant: UnaryOp): Tensor {
  const tensor = like('UNARY', a);
  tensor.variant = variant;
  return tensor;
}

export type GluOp = 'swiglu' | 'geglu' | 'geglu_erf' | 'geglu_quick' | 'reglu' | 'swiglu_oai' | 'swiglu_clamp';

/** `ggml_*_split` with two sources; with one, the row holds both halves. */
export function glu(a: Tensor, b: Tensor | null, variant: GluOp): Tensor {
  if (b) requireAlike(variant, a, b);
  const ne: Four = b ? a.ne : [a.ne[0] / 2, a.ne[1], a.ne[2], a.ne[3]];
  const tensor = result('GLU', a.type, ne, a, b);
  tensor.variant = variant;
  return tensor;
}

export function rope(a: Tensor, positions: Tensor, factors: Tensor | null = null): Tensor {
  requirePositions(a, positions, factors);
  return like('ROPE', a, positions, factors);
}

/** `ggml_rope_ext_back`. */
export function ropeBack(a: Tensor, positions: Tensor): Tensor {
  return like('ROPE_BACK', a, positions, null);
}

/** `plain` softmax has neither scale nor mask; only that form may be fused with expert selection. */
export function softMax(a: Tensor, mask: Tensor | null = null, sinks: Tensor | null = null, plain = true): Tensor {
  requireSinks('soft_max', a.ne[2], sinks);
  const tensor = like('SOFT_MAX', a, mask, sinks);
  tensor.variant = plain ? 'plain' : 'scaled';
  return tensor;
}

export function flashAttnExt(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, sinks: Tensor | null): Tensor {
  requireProduct(k, q);
  requireSinks('flash_attn_ext', q.ne[2], sinks);
  return result('FLASH_ATTN_EXT', F32, [v.ne[0], q.ne[2], q.ne[1], q.ne[3]], q, k, v, mask, sinks);
}

export function argsort(a: Tensor): Tensor {
  return result('ARGSORT', I32, a.ne, a);
}

export function argsortTopK(a: Tensor, k: number): Tensor {
  requireEnough('argsort', a, k);
  const sorted = argsort(a);
  return view4d(sorted, [k, a.ne[1], a.ne[2], a.ne[3]], sorted.nb[1], sorted.nb[2], sorted.nb[3], 0);
}

export function sumRows(a: Tensor): Tensor {
  return result('SUM_ROWS', a.type, [1, a.ne[1], a.ne[2], a.ne[3]], a);
}

export function mean(a: Tensor): Tensor {
  return result('MEAN', F32, [1, a.ne[1], a.ne[2], a.ne[3]], a);
}

export function repeat(a: Tensor, ne: Four): Tensor {
  return result('REPEAT', a.type, ne, a);
}

export function padTo(a: Tensor, ne: Four): Tensor {
  return result('PAD', a.type, ne, a);
}

export function concat(a: Tensor, b: Tensor, dim: 0 | 1 | 2 | 3): Tensor {
  requireJoinable(a, b, dim);
  const ne: [number, number, number, number] = [...a.ne];
  ne[dim] += b.ne[dim];
  return result('CONCAT', a.type, ne, a, b);
}

/** Bytes of one row of `count` elements in a tensor's type: `ggml_row_size`. */
export function rowSize(tensor: Tensor, count: number): number {
  return rowBytes(tensor.type, count);
}
