import { sameNumbers } from '../../../gguf/same-numbers.js';
import { type Backend, optimizationKey } from '../backend.js';
import type { Graph } from '../graph.js';
import type { Plan } from '../scheduler.js';
import { NONE } from '../allocation/tape.js';
import { copyOn, type Tensor } from '../tensor.js';

/** An operand that is read from a copy on another backend; graph tensors by number. */
interface ReadCopy {
  readonly node: number;
  readonly operand: number;
  readonly original: number;
  readonly backend: number;
}

/** What became of a graph, tensors by their numbers in it: leafs first, then nodes. */
export interface Schedule {
  /** As `describe` says it of the graph before. */
  readonly said: Int32Array;
  readonly backends: Int8Array;
  readonly copies: readonly ReadCopy[];
  /** Runs of nodes on one backend, with what their optimization depends on. */
  readonly runs: Plan['runs'];
  /** By slot of its tape, and then of its samples: a tensor's number, behind those a copy's, then a sample's; views without a number hold nothing. */
  readonly tensorOf: Int32Array;
}

/** `said` is what was said of the graph before it was planned, `tensors` are those that have sizes: of its tape and samples. */
export function scheduleOf(graph: Graph, said: Int32Array, { runs }: Plan, tensors: readonly Tensor[]): Schedule {
  const all = graph.leafs.concat(graph.nodes);
  const copies: ReadCopy[] = [];
  const numberOf = new Map<Tensor, number>(all.map((tensor, number) => [tensor, number]));
  graph.nodes.forEach((node, i) => {
    node.src.forEach((source, operand) => {
      if (!source?.original) return;
      if (!numberOf.has(source)) numberOf.set(source, all.length + copies.length);
      const original = numberOf.get(source.original) as number;
      copies.push({ node: graph.leafs.length + i, operand, original, backend: source.backend });
    });
  });
  graph.sampled.forEach((tensor, i) => numberOf.set(tensor, all.length + copies.length + i));
  return {
    said,
    backends: Int8Array.from(all, ({ backend }) => backend),
    copies,
    runs,
    tensorOf: Int32Array.from(tensors, (tensor) => numberOf.get(tensor) ?? NONE),
  };
}

/** Gives a graph of which the same was said the backends and copies that another one got: its tensors by number, those, and samples. */
export function reschedule({ leafs, nodes, sampled }: Graph, { backends, copies }: Schedule): readonly Tensor[] {
  const all = leafs.concat(nodes);
  for (let number = 0; number < backends.length; number++) (all[number] as Tensor).backend = backends[number] as number;
  for (const { node, operand, original, backend } of copies) {
    const copy = copyOn(all[original] as Tensor, backend);
    (all[node] as Tensor).src[operand] = copy;
    all.push(copy);
  }
  all.push(...sampled);
  return all;
}

/** Whether backends will optimize a graph that was rescheduled as they did the other one. */
export function optimizesAlike({ nodes }: Graph, { runs }: Schedule, backends: readonly Backend[]): boolean {
  let start = 0;
  return runs.every(({ backend, end, key }) => {
    const found = optimizationKey(backends[backend] as Backend, nodes.slice(start, end), nodes[end]);
    start = end;
    return sameNumbers(found, key);
  });
}
