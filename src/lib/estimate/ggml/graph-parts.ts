import { copyOn, type Tensor } from './tensor.js';

/** A piece of a graph that comes again in several layers: what is computed of `inputs` to get `result`. */
export class GraphPart {
  constructor(
    readonly name: string,
    readonly result: Tensor,
    readonly inputs: readonly Tensor[],
  ) {}
}

/** For each tensor in a part of a graph the one that has its place in the sample of the same name. */
export function counterpartsInSamples(
  parts: readonly GraphPart[],
  samples: readonly GraphPart[],
): ReadonlyMap<Tensor, Tensor> {
  const known = new Map(samples.map((sample) => [sample.name, tensorsOf(sample)]));
  const found = new Map<Tensor, Tensor>();
  for (const part of parts) {
    const others = known.get(part.name);
    if (others) tensorsOf(part).forEach((tensor, i) => found.set(tensor, others[i] as Tensor));
  }
  return found;
}

/** A sample's tensor as another device has it. */
export function copyOf(sampled: Tensor): Tensor {
  return copyOn(sampled, ELSEWHERE);
}

/** No backend: samples have none. */
const ELSEWHERE = -1;

/** What is read before what reads it, whatever is copied between devices in between. */
export function tensorsOf({ result, inputs }: GraphPart): readonly Tensor[] {
  const found = new Set<Tensor>();
  const visit = (tensor: Tensor): void => {
    if (tensor.op === 'NONE' || inputs.includes(tensor) || found.has(tensor)) return;
    for (const source of tensor.src) if (source) visit(source.original ?? source);
    found.add(tensor);
  };
  visit(result);
  return [...found];
}
