import type { Tensor } from './tensor.js';

/** A piece of a graph that comes again in several layers: what is computed of `inputs` to get `result`. */
export class GraphPart {
  constructor(
    readonly name: string,
    readonly result: Tensor,
    readonly inputs: readonly Tensor[],
  ) {}
}

/** For each tensor in a part of one graph the tensor of another that has its place in a part of the same name, on the same backends. */
export function counterpartsInParts(
  parts: readonly GraphPart[],
  others: readonly GraphPart[],
): ReadonlyMap<Tensor, Tensor> {
  const known = new Map(others.map((part) => [describe(part), tensorsOf(part)]));
  const found = new Map<Tensor, Tensor>();
  for (const part of parts)
    known.get(describe(part))?.forEach((other, i) => found.set(tensorsOf(part)[i] as Tensor, other));
  return found;
}

function describe(part: GraphPart): string {
  return `${part.name} on ${tensorsOf(part)
    .map(({ backend }) => backend)
    .join()}`;
}

/** What is read before what reads it, whatever is copied between devices in between. */
function tensorsOf({ result, inputs }: GraphPart): readonly Tensor[] {
  const found = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (tensor.op === 'NONE' || inputs.includes(tensor) || found.has(tensor)) return;
    for (const source of tensor.src) if (source) visit(source.original ?? source);
    found.add(tensor);
  };
  visit(result);
  return [...found];
}
