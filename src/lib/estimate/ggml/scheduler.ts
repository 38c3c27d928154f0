import { type Backend, optimizationKey } from './backend.js';
import type { Graph } from './graph.js';
import { type Buffer, copyOn, isViewOp, Tensor } from './tensor.js';

/** Of a node that no backend was chosen for yet. */
export const UNASSIGNED = -1;

/** A model asks for an op that no device can run where its memory is; llama.cpp aborts there. */
export class UnsupportedOpError extends Error {
  override readonly name = 'UnsupportedOpError';
}

/** A node with the backend that will run it, in the order of execution. */
export interface Step {
  readonly node: Tensor;
  readonly backend: number;
}

/** What a graph's memory is planned by. */
export interface Plan {
  /** In order, and the leafs that are placed before them. */
  readonly steps: readonly Step[];
  readonly leafs: readonly Tensor[];
  /** Runs of nodes on one backend, where each ends, and what its optimization depends on if that was asked for. */
  readonly runs: readonly { readonly backend: number; readonly end: number; readonly key: readonly number[] }[];
}

interface Split {
  readonly backend: number;
  readonly inputs: Tensor[];
  nodes: Tensor[];
}

function rootBuffer(tensor: Tensor): Buffer | null {
  return (tensor.viewSrc ?? tensor).buffer;
}

/**
 * `ggml_backend_sched_split_graph` (`ggml/src/ggml-backend.cpp`, llama.cpp v0.5.0) for backends in order of priority, the
 * CPU last: which backend runs which node, what is copied between them, and the order in which memory is planned.
 */
export class Scheduler {
  private readonly cpu: number;

  constructor(
    private readonly backends: readonly Backend[],
    private readonly opOffload: boolean,
    /** More than one where pipeline parallelism lets several batches be under way. */
    private readonly inputCopies = 1,
  ) {
    this.cpu = backends.length - 1;
  }

  /** Passes 1 to 4: every tensor of the graph gets its `backend`. */
  assign(graph: Graph): void {
    for (const leaf of graph.leafs) if (leaf.backend === UNASSIGNED) leaf.backend = this.fromCurrent(leaf);
    for (const node of graph.nodes) if (node.backend === UNASSIGNED) node.backend = this.fromCurrent(node);
    const work = graph.nodes.filter((node) => !isViewOp(node.op));
    const backwards = work.toReversed();
    this.expand(work, false);
    this.expand(backwards, false);
    this.expand(work, true);
    this.expand(backwards, true);
    for (const node of work) this.upgrade(node);
    for (const node of graph.nodes) this.settle(node);
  }

  /** Pass 5 and the graph copy. */
  plan(graph: Graph, withKeys = false): Plan {
    const inputs: Tensor[] = [];
    const splits = this.split(graph, inputs);
    const keepUntil = (tensor: Tensor, until: Tensor): void => {
      if (!until.keeps) until.keeps = [tensor];
      else if (!until.keeps.includes(tensor)) until.keeps.push(tensor);
    };
    let end = 0;
    const runs = splits.map(({ backend, nodes }, i) => {
      const device = this.backends[backend] as Backend;
      const following = splits[i + 1]?.nodes[0];
      const key = withKeys ? optimizationKey(device, nodes, following) : [];
      device.optimize?.(nodes, keepUntil, following);
      return { backend, end: (end += nodes.length), key };
    });

    const steps: Step[] = [];
    for (const { backend, inputs, nodes } of splits) {
      for (const input of inputs) {
        steps.push({ node: dependency(input, [input]), backend: input.backend });
        steps.push({ node: copyOn(input, backend), backend });
      }
      for (const node of nodes) {
        steps.push({ node, backend: node.backend });
        if (node.keeps) steps.push({ node: dependency(node.keeps[0] as Tensor, node.keeps), backend });
      }
    }
    return { steps, leafs: [...this.copiedInputs(inputs, splits), ...graph.leafs], runs };
  }

  /** With several copies, graph inputs and what is brought over to a split keep a place for each copy from the start. */
  private copiedInputs(inputs: readonly Tensor[], splits: readonly Split[]): Tensor[] {
    if (this.inputCopies === 1) return [];
    const first = [...inputs, ...splits.flatMap((split) => split.inputs.map((input) => copyOn(input, split.backend)))];
    return first.flatMap((tensor) => [
      tensor,
      ...Array.from({ length: this.inputCopies - 1 }, () =>
        Object.assign(new Tensor(tensor.type, tensor.ne, tensor.nb), { backend: tensor.backend, isOutput: true }),
      ),
    ]);
  }

  /** `ggml_backend_sched_backend_from_buffer`: the first backend that can read the buffer and run the op. */
  private fromBuffer(tensor: Tensor, op: Tensor): number {
    const buffer = rootBuffer(tensor);
    if (!buffer) return UNASSIGNED;
    return this.backends.findIndex((backend) => reads(backend, buffer) && backend.supportsOp(op));
  }

  private fromCurrent(tensor: Tensor): number {
    const own = this.fromBuffer(tensor, tensor);
    if (own !== UNASSIGNED) return own;
    if (rootBuffer(tensor)) {
      if (tensor.op === 'NONE')
        throw new UnsupportedOpError(
          'weights or a cache that it shares lie on a device that the draft may not use; leave out --spec-draft-device',
        );
      throw new UnsupportedOpError(`no device that holds the cache can run ${tensor.op} on type ${tensor.type.name}`);
    }
    if (tensor.isInput) return this.cpu;
    if (tensor.op === 'ROPE' || tensor.op === 'FLASH_ATTN_EXT') return UNASSIGNED;
    for (const source of tensor.src) {
      if (source?.buffer?.usage !== 'weights') continue;
      const backend = this.fromBuffer(source, tensor);
      if (this.opOffload && backend === this.cpu && !source.buffer.repacked) {
        const taker = this.backends.findIndex(
          (other, i) => i < this.cpu && other.supportsOp(tensor) && other.offloadsOp(tensor),
        );
        if (taker !== UNASSIGNED) return taker;
      }
      return backend;
    }
    return UNASSIGNED;
  }

  /** Pass 2: neighbours of assigned nodes take the same backend; the CPU spreads only in the last two rounds. */
  private expand(nodes: readonly Tensor[], withCpu: boolean): void {
    let current = UNASSIGNED;
    for (const node of nodes) {
      if (node.backend !== UNASSIGNED) current = node.backend === this.cpu && !withCpu ? UNASSIGNED : node.backend;
      else if (current !== UNASSIGNED && this.backends[current]?.supportsOp(node)) node.backend = current;
    }
  }

  /** Pass 3: to a backend of higher priority that shares the buffer type, or the one that can read most sources. */
  private upgrade(node: Tensor): void {
    if (node.backend === UNASSIGNED) {
      let most = -1;
      this.backends.forEach((backend, i) => {
        if (!backend.supportsOp(node)) return;
        const readable = node.src.filter(
          (source) =>
            source &&
            (source.backend !== UNASSIGNED || (source.viewSrc && source.viewSrc.backend !== UNASSIGNED)) &&
            this.canRead(source, i),
        ).length;
        if (readable > most) {
          most = readable;
          node.backend = i;
        }
      });
      return;
    }
    const { memory } = this.backends[node.backend] as Backend;
    for (let i = 0; i < node.backend; i++) {
      const backend = this.backends[i] as Backend;
      if (backend.memory !== memory || !backend.supportsOp(node)) continue;
      if (node.src.every((source) => !source || this.canRead(source, i))) {
        node.backend = i;
        return;
      }
    }
  }

  /** Pass 4: sources follow their views' roots or the node that reads them. */
  private settle(node: Tensor): void {
    if (node.viewSrc && node.backend === UNASSIGNED) node.backend = node.viewSrc.backend;
    for (const source of node.src) {
      if (source && source.backend === UNASSIGNED)
        source.backend = source.viewSrc ? source.viewSrc.backend : node.backend;
    }
    if (node.backend === UNASSIGNED) node.backend = this.backends.findIndex((backend) => backend.supportsOp(node));
    if (node.backend === UNASSIGNED) throw new UnsupportedOpError(`no device can run ${node.op}`);
  }

  /** `ggml_backend_sched_buffer_supported`. */
  private canRead(tensor: Tensor, backend: number): boolean {
    const reader = this.backends[backend] as Backend;
    const buffer = rootBuffer(tensor);
    if (buffer) return reads(reader, buffer);
    let holder = tensor.backend;
    if (holder === UNASSIGNED && tensor.viewSrc) holder = tensor.viewSrc.backend;
    return holder !== UNASSIGNED && (this.backends[holder] as Backend).memory === reader.memory;
  }

  /** Graph inputs that are read are added to `inputs` if they are kept in several copies. */
  private split(graph: Graph, inputs: Tensor[]): Split[] {
    const first = graph.nodes.find((node) => !isViewOp(node.op));
    if (!first) return [];
    let split: Split = { backend: first.backend, inputs: [], nodes: [] };
    const splits = [split];
    for (const node of graph.nodes) {
      if (isViewOp(node.op)) {
        split.nodes.push(node);
        continue;
      }
      if (node.backend !== split.backend || this.needsNewSplit(node, split)) {
        split = { backend: node.backend, inputs: [], nodes: [] };
        splits.push(split);
      }
      split.nodes.push(node);
      for (let i = 0; i < node.src.length; i++) {
        const source = node.src[i];
        if (!source) continue;
        if (this.inputCopies > 1 && source.isInput && !source.copies?.has(source.backend)) {
          inputs.push(source);
          source.copies ??= new Map();
          source.copies.set(source.backend, source);
          source.isOutput = true;
        }
        if (source.backend === split.backend || this.canRead(source, split.backend)) continue;
        if (!source.copies?.has(split.backend)) split.inputs.push(source);
        const copy = copyOn(source, split.backend);
        if (this.inputCopies > 1) copy.isInput = copy.isOutput = true;
        node.src[i] = copy;
      }
    }
    return splits;
  }

  /** Weights that must be brought over start a split of their own, so that the previous ones' place can be reused. */
  private needsNewSplit(node: Tensor, split: Split): boolean {
    return (
      split.inputs.length > 0 &&
      node.src.some(
        (source) =>
          source?.buffer?.usage === 'weights' &&
          source.backend !== split.backend &&
          !this.canRead(source, split.backend),
      )
    );
  }
}

function reads(backend: Backend, buffer: Buffer): boolean {
  return buffer.device === backend.memory && (!buffer.repacked || backend.readsRepacked);
}

/**
 * A node without an op whose sources may not be freed before it. llama.cpp makes one of each ten (`GGML_MAX_SRC`), which frees the same
 * in the same order: all of them lie somewhere until then.
 */
function dependency(view: Tensor, sources: readonly Tensor[]): Tensor {
  const tensor = new Tensor(view.type, view.ne, view.nb, [...sources]);
  tensor.viewSrc = view.viewSrc ?? view;
  return tensor;
}
