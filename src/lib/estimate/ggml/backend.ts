import type { Tensor } from './tensor.js';

/** What the scheduler and the graph allocator ask of a device: `struct ggml_backend_device_i`. */
export interface Backend {
  /** Where its buffers lie; BLAS and CPU share the host's. */
  readonly memory: 'gpu' | 'cpu';
  readonly supportsOp: (op: Tensor) => boolean;
  /** Whether it would rather run an op whose weights lie in host memory than leave it to the CPU. */
  readonly offloadsOp: (op: Tensor) => boolean;
  /** Only the CPU backend reads repacked weights. */
  readonly readsRepacked: boolean;
  /** Bytes to reserve for a tensor, with what the op needs beside its result. */
  readonly allocSize: (tensor: Tensor) => number;
  /** Reorders a run of nodes in place and names tensors that must outlive a node; `graph_optimize`. */
  readonly optimize?: (nodes: Tensor[], keepUntil: (kept: Tensor, until: Tensor) => void) => void;
}

/** Offset alignment of compute buffers: CPU `TENSOR_ALIGNMENT`, Metal 32 (`ggml-metal.cpp`). */
export const BUFFER_ALIGNMENT = 32;
