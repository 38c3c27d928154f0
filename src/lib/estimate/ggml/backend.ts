import type { Device } from './device.js';
import type { GgmlType } from '../../gguf/ggml-types.js';
import type { Tensor } from './tensor.js';

/** A tensor must stay allocated until a node has run. */
export type KeepUntil = (kept: Tensor, until: Tensor) => void;

/** What running nodes takes beside buffers, in bytes. */
export interface Scratch {
  /** Of a pool that nodes use one after the other. */
  readonly pool: number;
  /** Of a library, with its workspace: once, for the first node that needs it. */
  readonly library: number;
}

/**
 * What loading, the scheduler and the graph allocator ask of a device: `struct ggml_backend_device_i` and
 * `struct ggml_backend_buffer_type_i` (`ggml/src/ggml-backend-impl.h`, llama.cpp v0.5.0). Another backend is another of these.
 */
export interface Backend {
  /** Where its buffers lie; BLAS and CPU share the host's. */
  readonly memory: Device;
  /** What offsets in its buffers are padded to; `get_alignment`. */
  readonly alignment: number;
  /** Bytes of its largest buffer: `get_max_size`; a graph that needs more gets several. */
  readonly maxBuffer?: number;
  readonly supportsOp: (op: Tensor) => boolean;
  /** Whether it would rather run an op whose weights lie in host memory than leave it to the CPU. */
  readonly offloadsOp: (op: Tensor) => boolean;
  /** Only the CPU backend reads repacked weights. */
  readonly readsRepacked: boolean;
  /** Bytes to reserve for a tensor, with what the op needs beside its result. */
  readonly allocSize: (tensor: Tensor) => number;
  /** What running a node takes beside buffers; unset: nothing is known of that. */
  readonly scratch?: (node: Tensor) => Scratch;
  /**
   * What `optimize` and `scratch` look at of the type of a product's weights: where it says the same, one may stand for another. `hasTwin`: its layer has
   * other weights of that shape.
   */
  readonly typeTrait?: (type: GgmlType, product: 'MUL_MAT' | 'MUL_MAT_ID', hasTwin: boolean) => string;
  /**
   * Reorders a run of nodes in place and names tensors that must outlive a node; `graph_optimize`. `following` is the first
   * node after the run.
   */
  readonly optimize?: (nodes: Tensor[], keepUntil: KeepUntil, following: Tensor | undefined) => void;
  /**
   * What `optimize` depends on beside the nodes' ops and what they read, the order of what lies in caches included. Unset: that is
   * only seen by doing it.
   */
  readonly optimizesBy?: (nodes: readonly Tensor[]) => readonly number[];
}

/** Numbers of which it is known, where they are the same for runs that compute the same of the same, that those are optimized alike. */
export function optimizationKey(
  { optimize, optimizesBy }: Backend,
  nodes: readonly Tensor[],
  following: Tensor | undefined,
): readonly number[] {
  if (optimizesBy) return optimizesBy(nodes);
  if (!optimize) return [];
  const ordered = [...nodes];
  const key: number[] = [];
  const put = ({ original, number, backend }: Tensor): number =>
    original ? key.push(original.number, backend) : key.push(number, -1);
  optimize(
    ordered,
    (kept, until) => {
      put(kept);
      put(until);
    },
    following,
  );
  ordered.forEach((node, i) => {
    if (node === nodes[i]) return;
    key.push(i);
    put(node);
  });
  return key;
}

/** Rows from which on host weights are worth bringing to a GPU: `op_offload_min_batch_size`. */
const OFFLOAD_MIN_ROWS = 32;

/**
 * Whether a CUDA or Vulkan device would rather run an op: `get_op_batch_size` and `ggml_backend_cuda_device_offload_op`
 * (`ggml/src/ggml-cuda/ggml-cuda.cu`), and the same of `ggml-vulkan.cpp` (llama.cpp v0.5.0).
 */
export function hasManyRows({ op, ne }: Tensor): boolean {
  if (op === 'GET_ROWS') return false;
  if (op === 'MUL_MAT') return ne[1] >= OFFLOAD_MIN_ROWS;
  if (op === 'MUL_MAT_ID' || op === 'ROPE' || op === 'ROPE_BACK') return ne[2] >= OFFLOAD_MIN_ROWS;
  return ne[1] * ne[2] * ne[3] >= OFFLOAD_MIN_ROWS;
}

/** Offset alignment of the CPU's buffers (`TENSOR_ALIGNMENT`) and Metal's (`ggml-metal.cpp`). */
export const BUFFER_ALIGNMENT = 32;
