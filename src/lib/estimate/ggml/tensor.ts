import { type GgmlType, ggmlTypeByName } from '../../gguf/ggml-types.js';
import type { Device } from './device.js';

/** The ops of `enum ggml_op` (`ggml/include/ggml.h`, llama.cpp v0.5.0) that llama.cpp's layer graphs use. */
export type Op =
  | 'NONE'
  | 'ADD'
  | 'ADD_ID'
  | 'ARANGE'
  | 'ARGMAX'
  | 'ARGSORT'
  | 'CLAMP'
  | 'CONCAT'
  | 'CONT'
  | 'CONV_2D'
  | 'CONV_2D_DW'
  | 'COS'
  | 'CPY'
  | 'DIV'
  | 'DSV4_HC_COMB'
  | 'DSV4_HC_POST'
  | 'DSV4_HC_PRE'
  | 'DUP'
  | 'FILL'
  | 'FLASH_ATTN_EXT'
  | 'GATED_DELTA_NET'
  | 'GATED_LINEAR_ATTN'
  | 'GET_ROWS'
  | 'GLU'
  | 'IM2COL'
  | 'L2_NORM'
  | 'LIGHTNING_INDEXER'
  | 'LOG'
  | 'MEAN'
  | 'MUL'
  | 'MUL_MAT'
  | 'MUL_MAT_ID'
  | 'NORM'
  | 'PAD'
  | 'PERMUTE'
  | 'POOL_1D'
  | 'POOL_2D'
  | 'REPEAT'
  | 'RESHAPE'
  | 'RMS_NORM'
  | 'ROLL'
  | 'ROPE'
  | 'ROPE_BACK'
  | 'RWKV_WKV6'
  | 'RWKV_WKV7'
  | 'SCALE'
  | 'SET'
  | 'SET_ROWS'
  | 'SIN'
  | 'SOFT_MAX'
  | 'SQR'
  | 'SQRT'
  | 'SSM_CONV'
  | 'SSM_SCAN'
  | 'SUB'
  | 'SUM_ROWS'
  | 'TOP_K'
  | 'TOP_K_MASK'
  | 'CUMSUM'
  | 'TRANSPOSE'
  | 'UNARY'
  | 'UPSCALE'
  | 'VIEW';

/** Elements per dimension, row length first (`ne`), or bytes per step (`nb`). */
export type Four = readonly [number, number, number, number];

/** Memory that exists before the graph is planned: mapped or copied weights, KV cache, recurrent state. */
export interface Buffer {
  readonly device: Device;
  readonly usage: 'weights' | 'cache';
  /** Repacked weights can only be read by the CPU backend's matrix products. */
  readonly repacked: boolean;
  /** Each tensor in it lies by itself, as weights do once they are loaded; before, they all lie at one address. */
  readonly apart?: boolean;
}

export const F32 = typeNamed('F32');
export const F16 = typeNamed('F16');
export const I32 = typeNamed('I32');
export const I64 = typeNamed('I64');

function typeNamed(name: string): GgmlType {
  const type = ggmlTypeByName(name);
  if (!type) throw new Error(`no ggml type ${name}`);
  return type;
}

const NO_SOURCES: (Tensor | null)[] = [];

/** `struct ggml_tensor`, and beside it what the planning passes note down about it. One graph owns each instance. */
export class Tensor {
  op: Op = 'NONE';
  /** Variant of UNARY, GLU or SCALE ops, or the hint or precision of a matrix product; what the fusion rules and backends ask for. */
  variant = '';
  /** States that SSM_SCAN and GATED_DELTA_NET keep per sequence (`K`). */
  snapshots = 0;
  /** Of the cells that FLASH_ATTN_EXT reads, at most so many are open to a token; 0 = no limit known (`n_kv_max`). */
  cellsLeft = 0;
  viewSrc: Tensor | null = null;
  /** Of a view, bytes from the start of `viewSrc`. */
  viewOffset: number | null = null;
  isInput = false;
  isOutput = false;
  buffer: Buffer | null = null;
  /** Within `buffer`; null = at its start, as all weights are: see `MemoryRanges`. */
  address: number | null = null;
  /** The layer whose weight or cache this is, -1 = none's. */
  layer = -1;
  visited = false;
  useCount = 0;
  /** Index of the backend in the scheduler, -1 = not assigned. */
  backend = -1;
  /** Copies of this tensor on other backends, by backend index. */
  copies: Map<number, Tensor> | null = null;
  /** The tensor on another backend that this is a copy of. */
  original: Tensor | null = null;
  /** Its number for the graph allocator, -1 = none yet. */
  slot = -1;
  /** Its number where a backend orders nodes. */
  number = 0;
  /** What has to stay where it is until this node has run. */
  keeps: Tensor[] | null = null;

  constructor(
    readonly type: GgmlType,
    readonly ne: Four,
    readonly nb: Four,
    /**
     * Of rest parameters, not a literal: V8 counts how many of a literal's arrays and objects live on, soon makes all of them among what is
     * old, and those keep their whole graph until everything is collected. What else refers to nodes is of a class for the same reason.
     */
    readonly src: (Tensor | null)[] = NO_SOURCES,
  ) {}
}

/** The tensor as a backend has it that cannot read where it is. */
export function copyOn(tensor: Tensor, backend: number): Tensor {
  const copies = (tensor.copies ??= new Map());
  let copy = copies.get(backend);
  if (!copy) {
    copy = new Tensor(tensor.type, tensor.ne, tensor.nb);
    copy.backend = backend;
    copy.layer = tensor.layer;
    copy.original = tensor;
    copies.set(backend, copy);
  }
  return copy;
}

/** The tensor whose memory a view shows. */
export function rootOf(tensor: Tensor): Tensor {
  return tensor.viewSrc ?? tensor;
}

/** Within the memory that a tensor has, if it has any. */
export function startOf({ address }: Tensor): number {
  return address ?? 0;
}

export function isViewOp(op: Op): boolean {
  return op === 'VIEW' || op === 'RESHAPE' || op === 'PERMUTE' || op === 'TRANSPOSE';
}

/** `ggml_op_is_empty`: ops that compute nothing. */
export function isEmptyOp(op: Op): boolean {
  return op === 'NONE' || isViewOp(op);
}

export function contiguousStrides(type: GgmlType, ne: Four): Four {
  const nb0 = type.bytesPerBlock;
  const nb1 = nb0 * (ne[0] / type.elementsPerBlock);
  const nb2 = nb1 * ne[1];
  return [nb0, nb1, nb2, nb2 * ne[2]];
}

/** Of a tensor's type and shape: its own strides where they are these, as most are. */
export function contiguousStridesLike({ type, ne, nb }: Tensor): Four {
  const same =
    nb[0] === type.bytesPerBlock &&
    nb[1] === nb[0] * (ne[0] / type.elementsPerBlock) &&
    nb[2] === nb[1] * ne[1] &&
    nb[3] === nb[2] * ne[2];
  return same ? nb : contiguousStrides(type, ne);
}

export function isEmptyTensor({ ne }: Tensor): boolean {
  return ne[0] === 0 || ne[1] === 0 || ne[2] === 0 || ne[3] === 0;
}

export function elements({ ne }: Tensor): number {
  return ne[0] * ne[1] * ne[2] * ne[3];
}

/** `ggml_nbytes`: from the first to the last byte that the tensor covers. */
export function tensorBytes({ type, ne, nb }: Tensor): number {
  if (ne[0] <= 0 || ne[1] <= 0 || ne[2] <= 0 || ne[3] <= 0) return 0;
  const rest = (ne[1] - 1) * nb[1] + (ne[2] - 1) * nb[2] + (ne[3] - 1) * nb[3];
  if (type.elementsPerBlock === 1) return type.bytesPerBlock + (ne[0] - 1) * nb[0] + rest;
  return (ne[0] * nb[0]) / type.elementsPerBlock + rest;
}

/** Bytes of a contiguous tensor of this type and shape. */
export function tensorBytesOf({ type, ne }: { type: GgmlType; ne: Four }): number {
  return (ne[0] / type.elementsPerBlock) * type.bytesPerBlock * ne[1] * ne[2] * ne[3];
}

/** `ggml_is_contiguous_m_n`: from dimension `from`, for all dimensions above it and below `to`. */
function isContiguousFrom({ type, ne, nb }: Tensor, from: number, to = 4): boolean {
  if (ne[0] !== type.elementsPerBlock && nb[0] !== type.bytesPerBlock) return false;
  let next = nb[0] * (ne[0] / type.elementsPerBlock);
  for (let i = 1; i < to; i++) {
    const dim = ne[i] as number;
    const stride = nb[i] as number;
    if (i > from) {
      if (dim !== 1 && stride !== next) return false;
      next *= dim;
    } else {
      next = dim * stride;
    }
  }
  return true;
}

export function isContiguous(tensor: Tensor): boolean {
  return isContiguousFrom(tensor, 0);
}

/** `ggml_is_contiguous_1`: rows may have gaps between them, everything above must not. */
export function isContiguousAboveRows(tensor: Tensor): boolean {
  return isContiguousFrom(tensor, 1);
}

/** `ggml_is_contiguous_2`: planes may have gaps too. */
export function isContiguousAbovePlanes(tensor: Tensor): boolean {
  return isContiguousFrom(tensor, 2);
}

/** `ggml_is_contiguous_to_3`: whatever the outermost dimension's step. */
export function isContiguousWithinCubes(tensor: Tensor): boolean {
  return isContiguousFrom(tensor, 0, 3);
}

export function isQuantized(type: GgmlType): boolean {
  return type.elementsPerBlock > 1;
}

export function isFloat({ type }: Tensor): boolean {
  return type === F32 || type === F16;
}

/** Latent attention reads V out of K's rows. */
export function isViewOf(v: Tensor, k: Tensor): boolean {
  return v.viewSrc !== null && (v.viewSrc === k || (v.viewSrc === k.viewSrc && v.viewOffset === k.viewOffset));
}

export function hasContiguousRows({ type, ne, nb }: Tensor): boolean {
  return ne[0] === type.elementsPerBlock || nb[0] === type.bytesPerBlock;
}

export function isTransposed({ nb }: Tensor): boolean {
  return nb[0] > nb[1];
}

export function sameShape(a: Tensor, b: Tensor): boolean {
  return a.ne === b.ne || (a.ne[0] === b.ne[0] && a.ne[1] === b.ne[1] && a.ne[2] === b.ne[2] && a.ne[3] === b.ne[3]);
}

/** `ggml_are_same_layout`. */
export function sameLayout(a: Tensor, b: Tensor): boolean {
  return (
    a.type === b.type &&
    sameShape(a, b) &&
    a.nb[0] === b.nb[0] &&
    a.nb[1] === b.nb[1] &&
    a.nb[2] === b.nb[2] &&
    a.nb[3] === b.nb[3]
  );
}

export function pad(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}
