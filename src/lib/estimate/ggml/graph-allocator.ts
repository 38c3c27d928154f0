import { BlockAllocator } from './allocator.js';
import { type Backend, BUFFER_ALIGNMENT } from './backend.js';
import { type Op, pad, sameLayout, type Tensor } from './tensor.js';

/** `ggml_op_can_inplace` (`ggml/src/ggml-alloc.c`, llama.cpp v0.5.0). */
const INPLACE: ReadonlySet<Op> = new Set<Op>([
  'FILL',
  'SCALE',
  'ADD',
  'ADD_ID',
  'SUB',
  'MUL',
  'DIV',
  'SQR',
  'SQRT',
  'UNARY',
  'ROPE',
  'RMS_NORM',
  'CLAMP',
  'SOFT_MAX',
]);

/** A node with the backend that will run it, in the order of execution. */
export interface Step {
  readonly node: Tensor;
  readonly backend: number;
}

export interface BufferSizes {
  readonly gpu: number;
  readonly cpu: number;
}

/**
 * `ggml_gallocr_alloc_graph_impl` (`ggml/src/ggml-alloc.c`, llama.cpp v0.5.0): walks the steps, gives each result the best
 * free place or a parent's, frees what nobody needs any more, and reports how large each device's buffer became. `onLayer`
 * hears what is free and what is in use when a layer's first weight is needed.
 */
export function allocateGraph(
  steps: readonly Step[],
  leafs: readonly Tensor[],
  backends: readonly Backend[],
  onLayer?: (layer: number, state: string) => void,
): BufferSizes {
  const allocators = { gpu: new BlockAllocator(BUFFER_ALIGNMENT), cpu: new BlockAllocator(BUFFER_ALIGNMENT) };
  const sizeOn = (tensor: Tensor, backend: number): number => (backends[backend] as Backend).allocSize(tensor);
  const allocatorOf = (backend: number): BlockAllocator => allocators[(backends[backend] as Backend).memory];

  const live = new Set<Tensor>();
  let currentLayer = -1;
  const watchLayers = ({ src }: Tensor): void => {
    for (const source of src) {
      if (!source || source.layer <= currentLayer) continue;
      currentLayer = source.layer;
      const places = [...live].map(({ allocator, offset }) => `${allocator}@${offset}`).join();
      onLayer?.(currentLayer, `${allocators.gpu.describe()};${allocators.cpu.describe()};${places}`);
    }
  };

  const takeOver = (node: Tensor, parent: Tensor): void => {
    node.allocator = parent.allocator;
    node.offset = parent.offset;
    parent.allocated = false;
    live.delete(parent);
    const parentSize = pad(sizeOn(parent, parent.allocator), BUFFER_ALIGNMENT);
    const nodeSize = pad(sizeOn(node, node.allocator), BUFFER_ALIGNMENT);
    if (parentSize > nodeSize) allocatorOf(parent.allocator).free(parent.offset + nodeSize, parentSize - nodeSize);
  };

  const reuseParent = (node: Tensor): boolean => {
    for (const parent of node.src) {
      if (!parent || !parent.allocated || parent.isOutput || !sameLayout(node, parent)) continue;
      if (parent.children !== 1 || parent.views !== 0) continue;
      takeOver(node, parent);
      return true;
    }
    return false;
  };

  const allocate = (node: Tensor, backend: number): void => {
    if (node.allocated || node.buffer || node.viewSrc) return;
    node.allocated = true;
    live.add(node);
    if (INPLACE.has(node.op) && reuseParent(node)) return;
    node.allocator = backend;
    node.offset = allocatorOf(backend).alloc(sizeOn(node, backend));
  };

  const release = (tensor: Tensor): void => {
    if (tensor.isOutput) return;
    allocatorOf(tensor.allocator).free(tensor.offset, sizeOn(tensor, tensor.allocator));
    tensor.allocated = false;
    live.delete(tensor);
  };

  for (const leaf of leafs) allocate(leaf, leaf.backend);
  for (const { node, backend } of steps) {
    if (node.viewSrc && node.op !== 'NONE') node.viewSrc.views++;
    for (const source of node.src) {
      if (!source) continue;
      source.children++;
      if (source.isInput) allocate(source, backend);
    }
  }
  for (const { node, backend } of steps) {
    if (onLayer) watchLayers(node);
    for (const source of node.src) if (source) allocate(source, backend);
    allocate(node, backend);
    for (const source of node.src) {
      if (!source || --source.children > 0 || source.views > 0) continue;
      if (source.viewSrc) {
        const root = source.viewSrc;
        if (--root.views === 0 && root.children === 0 && root.allocated) release(root);
      } else if (source.allocated) {
        release(source);
      }
    }
  }
  return { gpu: allocators.gpu.maxSize, cpu: allocators.cpu.maxSize };
}
