import { BlockAllocator } from './allocator.js';
import type { Backend } from './backend.js';
import { type Device, type DeviceBytes, DeviceTally } from './device.js';
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
  'ROPE_BACK',
  'RMS_NORM',
  'CLAMP',
  'SOFT_MAX',
]);

/** A node with the backend that will run it, in the order of execution. */
export interface Step {
  readonly node: Tensor;
  readonly backend: number;
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
): DeviceBytes {
  const byDevice = new Map<Device, BlockAllocator>();
  const allocators = backends.map(({ memory, alignment, maxBuffer }) => {
    const allocator = byDevice.get(memory) ?? new BlockAllocator(alignment, maxBuffer);
    byDevice.set(memory, allocator);
    return allocator;
  });
  const allocatorOf = (backend: number): BlockAllocator => allocators[backend] as BlockAllocator;
  const sizeOn = (tensor: Tensor, backend: number): number => {
    const { allocSize, alignment } = backends[backend] as Backend;
    return pad(allocSize(tensor), alignment);
  };

  const live = new Set<Tensor>();
  let currentLayer = -1;
  const watchLayers = ({ src }: Tensor): void => {
    for (const source of src) {
      if (!source || source.layer <= currentLayer) continue;
      currentLayer = source.layer;
      const places = [...live].map(({ allocator, offset }) => `${allocator}@${offset}`).join();
      const free = [...byDevice.values()].map((allocator) => allocator.describe()).join(';');
      onLayer?.(currentLayer, `${free};${places}`);
    }
  };

  const takeOver = (node: Tensor, parent: Tensor): void => {
    node.allocator = parent.allocator;
    node.offset = parent.offset;
    parent.allocated = false;
    live.delete(parent);
    const parentSize = sizeOn(parent, parent.allocator);
    const nodeSize = sizeOn(node, node.allocator);
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
  const sizes = new DeviceTally();
  for (const [device, { maxSize }] of byDevice) sizes.set(device, maxSize);
  return sizes;
}
