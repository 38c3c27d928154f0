import { copyOf, counterpartsInSamples } from '../graph-parts.js';
import type { PlannedTape } from './settled-allocation.js';
import { IS_VIEW } from '../allocation/tape.js';
import type { Layout } from './layouts.js';
import type { Tensor } from '../tensor.js';

/**
 * Of each slot of the tape of all layers, which follows from that of `more`, the slot of a tape of `few`, or its sample, that holds the same; views,
 * which hold nothing, have none. Null where the two graphs do not go together.
 */
export function originsOn(
  few: PlannedTape,
  more: PlannedTape,
  { whole: { traits, leafs }, origins: originsInMore }: Layout,
): Int32Array | null {
  const counterparts = counterpartsOf(few, more);
  if (!counterparts) return null;
  const { tensors } = more.tape;
  const origins = new Int32Array(traits.length);
  for (let slot = 0; slot < traits.length; slot++) {
    if ((traits[slot] as number) & IS_VIEW) continue;
    const own = counterparts.get(tensors[originsInMore[slot] as number] as Tensor)?.slot;
    if (own === undefined && slot >= leafs) return null;
    // Places that are kept for further batches lie behind the one that is read; for those of samples that one stands.
    const before = origins[slot - 1] ?? -1;
    origins[slot] = own ?? (before < few.tape.tensors.length ? before + 1 : before);
  }
  return origins;
}

/**
 * For each tensor of a graph of more layers that of a graph of few which is the same in its layer, or in one that is alike, but
 * for parts: those are looked for wherever they are.
 */
function counterpartsOf(few: PlannedTape, more: PlannedTape): ReadonlyMap<Tensor, Tensor> | null {
  const found = new Map<Tensor, Tensor>();
  const pair = (a: Tensor, b: Tensor): void => {
    if (found.has(a)) return;
    found.set(a, b);
    if (a.original && b.original) pair(a.original, b.original);
    a.src.forEach((source, i) => {
      const other = b.src[i];
      if (!source || !other || source.buffer) return;
      // What a sample reads is never copied.
      pair(source, source.original && other.op !== 'NONE' ? copyOf(other) : other);
    });
  };
  const own = layersOf(few);
  const inSamples = counterpartsInSamples(more.graph.parts, few.graph.samples);
  const stretches = layersOf(more).map((nodes, i) => {
    const layer = more.slices.layers[i - 1];
    const others = own[layer === undefined ? 0 : (few.slices.placeOf[layer] as number) + 1] ?? [];
    return [nodes, others.map((other, j) => inSamples.get(nodes[j] as Tensor) ?? other)] as const;
  });
  if (stretches.some(([a, b]) => a.length !== b.length)) return null;
  for (const [a, b] of stretches) a.forEach((node, i) => found.set(node, b[i] as Tensor));
  for (const [a, b] of stretches)
    a.forEach((node, i) => {
      found.delete(node);
      pair(node, b[i] as Tensor);
    });
  return found;
}

/** A graph's nodes before the first layer, and in each; without those that work on inputs alone, which several layers may read. */
function layersOf({ graph: { nodes }, slices: { layers } }: PlannedTape): Tensor[][] {
  const shared = new Set<Tensor>();
  const stretches: Tensor[][] = [[]];
  for (const node of nodes) {
    for (const source of node.src)
      while (source && source.layer >= (layers[stretches.length - 1] ?? Infinity)) stretches.push([]);
    const isShared =
      node.useCount > 0 &&
      node.src.every((source) => !source || source === node || isInput(source) || shared.has(source));
    if (isShared) shared.add(node);
    else stretches.at(-1)?.push(node);
  }
  return stretches;
}

function isInput({ op, buffer, original }: Tensor): boolean {
  return original ? isInput(original) : op === 'NONE' && !buffer;
}
