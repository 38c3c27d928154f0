import type { ModelShape } from '../../model/model-shape.js';
import { type ContextMemory, filledTo } from '../caches/cache.js';
import type { Backend } from '../ggml/backend.js';
import { describe } from '../ggml/description.js';
import type { Graph } from '../ggml/graph.js';
import type { FoundTape, KnownTapes } from '../ggml/repeats/known-tapes.js';
import { scheduleOf } from '../ggml/repeats/schedule.js';
import { ScratchTally } from '../ggml/scratch-tally.js';
import { Scheduler, UNASSIGNED } from '../ggml/scheduler.js';
import type { PlannedTape } from '../ggml/repeats/settled-allocation.js';
import { NONE, record, TensorSizes } from '../ggml/allocation/tape.js';
import type { Tensor } from '../ggml/tensor.js';
import { adapterNodes, type Adapters, adapterWeights } from '../graph/loaded/adapters.js';
import type { ArchitectureGraph, FusedNode, FusedOp } from '../graph/architecture-graph.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Placement } from '../weights/placement.js';
import type { ContextParams } from './context-params.js';
import { type GraphSize, graphSize, maxNodes, refuseOversizedGraph } from './graph-capacity.js';
import { allLayers, type PlannedLayers } from './layers.js';

/** `GGML_SCHED_MAX_COPIES` (`ggml/CMakeLists.txt`, llama.cpp v0.5.0). */
const PIPELINE_COPIES = 4;

export interface PlannerInputs {
  readonly shape: ModelShape;
  readonly params: ContextParams;
  readonly memory: ContextMemory;
  readonly placement: Placement;
  readonly graph: ArchitectureGraph;
  readonly adapters?: Adapters | undefined;
  /** A control vector is set. */
  readonly steered?: boolean | undefined;
  /** As a dry run of `--fit` sees it: see `computeBuffers`. */
  readonly dryRun?: boolean;
}

/** What a graph is reserved for. */
export interface Batch {
  readonly tokens: number;
  readonly outputs: number;
  /** Unset: as many as the context has slots. */
  readonly nSeqs?: number | undefined;
  /** How many cells of the cache are filled; unset: all. */
  readonly cells?: number | undefined;
}

/** What is decided by trying graphs before any is reserved. */
export interface Decisions {
  readonly flashAttn: boolean;
  readonly fused: ReadonlySet<FusedOp>;
}

/** The constructor of `llama_context` (`src/llama-context.cpp`, llama.cpp v0.5.0): several batches are under way at once. */
function pipelines(placement: Placement, { offloadKqv, expertCacheBytes }: ContextParams): boolean {
  if (placement.gpus.used.length < 2 || placement.hasOverrides || expertCacheBytes > 0) return false;
  return placement.fullOffload && offloadKqv;
}

interface PlannerOptions {
  /** Of all layers' graphs, by the sizes of some layers'. */
  readonly wholeSizes: Map<string, GraphSize>;
  /** What to look for graphs in before they are scheduled. */
  readonly known?: KnownTapes;
  /** How graphs are scheduled is written down for others. */
  readonly keeps?: boolean;
}

/** A graph with backends: how it was scheduled before, if it is known, or what was said of it before, if that is kept. */
interface Scheduled {
  readonly graph: Graph;
  readonly found: FoundTape | null;
  readonly said: Int32Array | null;
}

interface Trial {
  readonly builder: GraphBuilder;
  readonly scheduled: Scheduled;
  readonly flashAttn: boolean;
  readonly fusedOps: number;
}

/** A context's graphs of some layers, with devices, as `llama_context` builds and schedules them. */
export class Planner {
  /** The graph of a tried context has places for a control vector. */
  isSteered = false;
  private readonly tally: ScratchTally;
  /** Of each trial that failed, the backends of its nodes. */
  readonly failedTrials: Int8Array[] = [];
  private readonly backends: readonly Backend[];
  private readonly scheduler: Scheduler;
  private readonly fused: Set<FusedOp>;
  private readonly wholeSizes: Map<string, GraphSize>;
  private readonly known: KnownTapes | undefined;
  private readonly keeps: boolean;
  private last: Trial | undefined;

  constructor(
    private readonly inputs: PlannerInputs,
    private readonly layers: PlannedLayers,
    { wholeSizes, known, keeps = false }: PlannerOptions,
  ) {
    const { placement, params } = inputs;
    this.backends = placement.backends;
    const copies = pipelines(placement, params) ? PIPELINE_COPIES : 1;
    this.scheduler = new Scheduler(this.backends, params.opOffload, copies);
    this.wholeSizes = wholeSizes;
    // Places that are kept for further batches are not described.
    this.known = copies === 1 ? known : undefined;
    this.keeps = keeps && copies === 1;
    this.fused = new Set(inputs.graph.fusedOps);
    this.tally = new ScratchTally(this.backends);
  }

  /** What computing what was planned takes of each GPU beside buffers, in bytes. */
  get scratch(): readonly number[] {
    return this.tally.bytes;
  }

  /** How many nodes the graph for a batch has. */
  nodes(batch: Batch, flashAttn: boolean): number {
    return this.build(batch, flashAttn, this.layers).graph.nodes.length;
  }

  /** `llama_context::resolve_fused_ops`: what a layer's device cannot run as one op is written out in all layers. */
  decide(): Decisions {
    const { params, graph } = this.inputs;
    const { fused } = this;
    const flashAttn = params.autoFlashAttn ? this.runsOnLayers(true, 'flash-attention') : params.flashAttn;
    for (const op of graph.fusedOps ?? []) if (!this.runsOnLayers(flashAttn, op)) fused.delete(op);
    return { flashAttn, fused };
  }

  private runsOnLayers(flashAttn: boolean, op: FusedNode['op']): boolean {
    const { builder } = this.tried(flashAttn);
    const { placement } = this.inputs;
    const runs = builder.fusedNodes.every(
      (fused) => fused.op !== op || this.backends[fused.node.backend]?.memory === placement.layerDevice(fused.layer),
    );
    if (!runs) this.failedTrials.push(Int8Array.from(builder.graph.nodes, ({ backend }) => backend));
    return runs;
  }

  /** One token a slot, with devices; the graph before where nothing about it has changed. */
  private tried(flashAttn: boolean): Trial {
    const { last, fused } = this;
    if (last?.flashAttn === flashAttn && last.fusedOps === fused.size) return last;
    const { nSeqMax } = this.inputs.params;
    const builder = this.built({ tokens: nSeqMax, outputs: nSeqMax }, flashAttn);
    return (this.last = { builder, scheduled: this.scheduled(builder), flashAttn, fusedOps: fused.size });
  }

  private scheduled({ graph }: GraphBuilder): Scheduled {
    const options = { backends: this.backends, opOffload: this.inputs.params.opOffload };
    const found = this.known?.find(graph, options) ?? null;
    const said = this.keeps ? describe(graph, options) : null;
    if (!found) this.scheduler.assign(graph);
    return { graph, found, said };
  }

  /** One token a slot: the graph that was tried last. */
  generation(flashAttn: boolean): PlannedTape | FoundTape {
    const { scheduled } = this.tried(flashAttn);
    this.last = undefined;
    return this.tapeOf(scheduled);
  }

  /** `llama_context::graph_reserve`, up to where memory is planned. */
  planned(batch: Batch, flashAttn: boolean): PlannedTape | FoundTape {
    const builder = this.built(batch, flashAttn);
    if (this.inputs.dryRun) for (const node of builder.graph.nodes) node.backend = UNASSIGNED;
    const scheduled = this.scheduled(builder);
    this.tally.run(builder.graph.nodes);
    return this.tapeOf(scheduled);
  }

  private tapeOf({ graph, found, said }: Scheduled): PlannedTape | FoundTape {
    if (found) return found;
    const { layers, others } = this.layers;
    const plan = this.scheduler.plan(graph, said !== null);
    const tape = record(plan.steps, plan.leafs);
    const sized = tape.tensors.concat(graph.sampled);
    for (let slot = tape.tensors.length; slot < sized.length; slot++) (sized[slot] as Tensor).slot = slot;
    return {
      graph,
      schedule: said && scheduleOf(graph, said, plan, sized),
      tape,
      sized,
      sizes: new TensorSizes(this.backends, sized),
      slices: { layers, begins: beginsAmong(tape.tensors, tape.leafs, layers), ...others },
    };
  }

  private built(batch: Batch, flashAttn: boolean): GraphBuilder {
    const builder = this.build(batch, flashAttn, this.layers);
    this.refuseOversized(builder, () => this.build(batch, flashAttn, allLayers(this.inputs.shape)));
    return builder;
  }

  /** Counts exactly only where the planned layers, each as often as it stands for another, come near the limit. */
  private refuseOversized({ graph }: GraphBuilder, buildAll: () => GraphBuilder): void {
    const { layers, wholeSizes } = this;
    const { shape, params, placement, adapters = [] } = this.inputs;
    const nTokens = Math.min(params.nCtx, params.nUbatch);
    const limit = maxNodes(shape.architecture, placement.tensorCount, nTokens) + adapterNodes(adapters);
    if (largestSizeOfAll(graph, layers) < limit || sizeOfAll(graph, layers) < limit) return;
    const key = [layers.layers.length, ...Object.values(graphSize(graph))].join();
    const whole = wholeSizes.get(key) ?? graphSize(buildAll().graph);
    wholeSizes.set(key, whole);
    refuseOversizedGraph(whole, limit);
  }

  private build(
    { tokens, outputs, nSeqs = this.inputs.params.nSeqMax, cells }: Batch,
    flashAttn: boolean,
    { layers, leftOut }: PlannedLayers,
  ): GraphBuilder {
    const { shape, params, placement, adapters, steered } = this.inputs;
    const memory = cells === undefined ? this.inputs.memory : filledTo(this.inputs.memory, cells, nSeqs);
    const nSeqTokens = Math.ceil(tokens / nSeqs);
    const builder = new GraphBuilder({
      shape,
      params,
      memory,
      placement,
      backends: this.backends,
      ubatch: { nTokens: nSeqTokens * nSeqs, nSeqs, nSeqTokens },
      nOutputs: outputs,
      flashAttn,
      fused: this.fused,
      layers,
      leftOut,
      adapters: adapters && adapterWeights(adapters),
      steered,
    });
    this.inputs.graph.build(builder);
    this.isSteered ||= builder.isSteered;
    builder.complete();
    return builder;
  }
}

/** Not less than `sizeOfAll`: as if each layer had the nodes of all that are planned, but as often as one stands for others. */
function largestSizeOfAll({ nodes, leafs }: Graph, { layers, others: { placeOf } }: PlannedLayers): number {
  const times = new Int32Array(layers.length);
  let most = 1;
  for (const place of placeOf) most = Math.max(most, ++(times[place] as number));
  return nodes.length * most + (leafs.length * placeOf.length) / layers.length;
}

/** Nodes of all layers, and about as many leafs. */
function sizeOfAll({ nodes, leafs }: Graph, { layers, others }: PlannedLayers): number {
  const begins = beginsAmong(nodes, 0, layers);
  const repeated = others.placeOf.reduce((sum, at) => sum + (begins[at + 1] as number) - (begins[at] as number), 0);
  return (begins[0] as number) + repeated + (leafs.length * others.placeOf.length) / layers.length;
}

/** Where each planned layer begins, with the first step that reads a weight of it, and behind the last the end. */
function beginsAmong(tensors: readonly Tensor[], from: number, layers: readonly number[]): number[] {
  const begins: number[] = [];
  let next = layers[0] ?? Infinity;
  for (let slot = from; slot < tensors.length; slot++) {
    const { src } = tensors[slot] as Tensor;
    for (let i = 0; i < src.length; i++) {
      const layer = src[i]?.layer ?? NONE;
      while (layer >= next) next = layers[begins.push(slot)] ?? Infinity;
    }
  }
  return [...begins, ...Array.from({ length: layers.length + 1 - begins.length }, () => tensors.length)];
}
