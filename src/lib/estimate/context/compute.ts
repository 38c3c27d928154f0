import type { ModelShape } from '../../model/model-shape.js';
import { type ContextMemory, filledTo } from '../caches/cache.js';
import type { ContextParams } from './context-params.js';
import { refused, refuseUnevenShares } from '../refused-launches.js';
import type { Backend } from '../ggml/backend.js';
import { type DeviceBytes, largerOf } from '../ggml/device.js';
import { pad, type Tensor } from '../ggml/tensor.js';
import { Scheduler, UNASSIGNED, UnsupportedOpError } from '../ggml/scheduler.js';
import { adapterNodes, type Adapters, adapterWeights } from '../graph/adapters.js';
import type { ArchitectureGraph } from '../graph/architecture-graph.js';
import type { FusedOp } from '../graph/fused-ops.js';
import { batchesInUse } from './batches-in-use.js';
import { graphSize, maxNodes, refuseOversizedGraph } from './graph-capacity.js';
import type { Graph } from '../ggml/graph.js';
import { record, TensorSizes } from '../ggml/tape.js';
import { allocateWhole, type PlannedTape } from '../ggml/settled-allocation.js';
import { allLayers, type LayerPlan, type PlannedLayers } from './layers.js';
import { GraphBuilder } from '../graph/builder.js';
import type { Placement } from '../weights/placement.js';

/** `GGML_SCHED_MAX_COPIES` (`ggml/CMakeLists.txt`, llama.cpp v0.5.0). */
const PIPELINE_COPIES = 4;

export interface ComputeInputs {
  readonly shape: ModelShape;
  readonly params: ContextParams;
  readonly memory: ContextMemory;
  readonly placement: Placement;
  readonly graph: ArchitectureGraph;
  /** From the fewest to all: see `representativeLayers`. */
  readonly plans: readonly [LayerPlan, ...LayerPlan[]];
  readonly adapters?: Adapters | undefined;
  /** A control vector is set. */
  readonly steered?: boolean | undefined;
  /** As a dry run of `--fit` sees it: see `computeBuffers`. */
  readonly dryRun?: boolean;
  /** Batches as they are computed, each planned for itself: see `batchesInUse`. */
  readonly inUse?: boolean;
}

export interface ComputeBuffers {
  readonly bytes: DeviceBytes;
  readonly flashAttn: boolean;
  /** False where a control vector is set of which the graph does not say where it goes. */
  readonly isSteered?: boolean;
}

/**
 * `llama_context::sched_reserve` (`src/llama-context.cpp`, llama.cpp v0.5.0): the buffers that hold the largest prompt batch
 * and one token a slot, in bytes for each device. In a dry run only the prompt counts, and where nodes were told to run is
 * forgotten before it is measured: `ggml_backend_sched_reserve_size` (`ggml/src/ggml-backend.cpp`).
 */
export function computeBuffers(inputs: ComputeInputs): ComputeBuffers {
  const { params, graph } = inputs;
  const planner = new Planner(inputs);
  try {
    const flashAttn = params.autoFlashAttn ? planner.flashAttentionRunsOnLayers() : params.flashAttn;
    planner.resolveFusedOps(flashAttn);
    const nTokens = Math.min(params.nCtx, params.nUbatch);
    const nOutputs = params.llama.logitsOfSlots ? Math.min(nTokens, params.nOutputsMax) : pad(nTokens, params.nSeqMax);
    if (inputs.inUse) {
      const bytes = batchesInUse(inputs).reduce<DeviceBytes>(
        (largest, { tokens, outputs, nSeqs, cells }) =>
          largerOf(largest, planner.reserve(tokens, outputs, flashAttn, nSeqs, cells)),
        { gpus: [], cpu: 0 },
      );
      return { bytes, flashAttn, isSteered: planner.isSteered };
    }
    const generation = planner.reserveGeneration(flashAttn);
    const prompt = planner.reserve(nTokens, nOutputs, flashAttn);
    const larger = largerOf(prompt, generation);
    if (!graph.alsoOneSequence || params.nSeqMax === 1)
      return { bytes: larger, flashAttn, isSteered: planner.isSteered };
    refuseUnevenShares(inputs.shape.architecture, nTokens, params);
    const alone = planner.reserve(nTokens, nOutputs, flashAttn, 1);
    return { bytes: largerOf(larger, alone), flashAttn, isSteered: planner.isSteered };
  } catch (error) {
    if (error instanceof UnsupportedOpError) throw refused(error.message);
    throw error;
  }
}

/** How many nodes the graph for the largest prompt batch has, with as few layers as possible. */
export function promptNodes(inputs: ComputeInputs, flashAttn: boolean): number {
  const { nCtx, nUbatch } = inputs.params;
  return new Planner(inputs).nodes(Math.min(nCtx, nUbatch), flashAttn);
}

/** The constructor of `llama_context` (`src/llama-context.cpp`, llama.cpp v0.5.0): several batches are under way at once. */
function pipelines(placement: Placement, { offloadKqv, expertCacheBytes }: ContextParams): boolean {
  if (placement.gpus.used.length < 2 || placement.hasOverrides || expertCacheBytes > 0) return false;
  return placement.fullOffload && offloadKqv;
}

/** Which of a model's plans was enough last. Where more than one is, they say the same. */
const ENOUGH = new WeakMap<ComputeInputs['plans'], number>();

class Planner {
  private readonly backends: readonly Backend[];
  private readonly scheduler: Scheduler;
  private readonly fused: Set<FusedOp>;
  /** Which of the plans to try first. */
  private enough: number;
  /** An earlier launch has been planned by them. */
  private readonly wereEnough: boolean;
  isSteered = false;
  /** Weights of a GPU were seen to be copied. */
  private typesMatter = false;
  private last: { readonly builder: GraphBuilder; readonly flashAttn: boolean; readonly fusedOps: number } | undefined;

  constructor(private readonly inputs: ComputeInputs) {
    const { placement, params } = inputs;
    this.backends = placement.backends;
    const copies = pipelines(placement, params) ? PIPELINE_COPIES : 1;
    this.scheduler = new Scheduler(this.backends, params.opOffload, copies);
    this.fused = new Set(inputs.graph.fusedOps);
    this.enough = ENOUGH.get(inputs.plans) ?? 0;
    this.wereEnough = ENOUGH.has(inputs.plans);
  }

  nodes(nTokens: number, flashAttn: boolean): number {
    return this.buildLayers(nTokens, 1, flashAttn, this.inputs.plans[0].compared).graph.nodes.length;
  }

  /** `llama_context::graph_reserve`; more layers are planned where leaving some out might matter. */
  reserve(nTokens: number, nOutputs: number, flashAttn: boolean, nSeqs?: number, cells?: number): DeviceBytes {
    const first = this.assigned(this.build(nTokens, nOutputs, flashAttn, nSeqs, cells));
    return this.reserveFrom(first, (layers) => this.buildLayers(nTokens, nOutputs, flashAttn, layers, nSeqs, cells));
  }

  /** One token a slot. The graph that was tried last is the one to plan, unless a dry run forgets where its nodes run. */
  reserveGeneration(flashAttn: boolean): DeviceBytes {
    const { nSeqMax } = this.inputs.params;
    if (this.inputs.dryRun) return this.reserve(nSeqMax, nSeqMax, flashAttn);
    const first = this.tried(flashAttn);
    this.last = undefined;
    return this.reserveFrom(first, (layers) => this.buildLayers(nSeqMax, nSeqMax, flashAttn, layers));
  }

  /** `first` is the graph of the layers that the first plan begins with, `build` builds others. */
  private reserveFrom(first: GraphBuilder, build: (layers: PlannedLayers) => GraphBuilder): DeviceBytes {
    const { plans } = this.inputs;
    for (let i = this.enough; i < plans.length; i++) {
      const plan = plans[i] as LayerPlan;
      if (plan.types === 'told-apart' && i > this.enough && !this.typesMatter) continue;
      const builder = i === this.enough ? first : this.assigned(build(this.beginningOf(plan)));
      const bytes = this.reserveBy(plan, builder, (layers) => this.assigned(build(layers)));
      if (!bytes) continue;
      this.enough = i;
      ENOUGH.set(plans, i);
      return bytes;
    }
    throw new Error('planning all layers leaves nothing out');
  }

  /** Layers to begin with: once for a single launch, it costs less to compare layers than to learn what they have in common. */
  private beginningOf({ compared, once, known }: LayerPlan): PlannedLayers {
    return (this.wereEnough && once[known.failures]) || compared;
  }

  /** Null where layers that were left out are not seen to repeat those that were not. */
  private reserveBy(
    plan: LayerPlan,
    { graph }: GraphBuilder,
    build: (layers: PlannedLayers) => GraphBuilder,
  ): DeviceBytes | null {
    const { backends } = this;
    const { compared, known } = plan;
    const layers = this.beginningOf(plan);
    const begun = this.planned(graph, layers);
    if (plan.types === 'ignored' && begun.tape.tensors.some(isCopyOfWeight)) {
      this.typesMatter = true;
      return null;
    }
    const found = known.allocate(begun, backends);
    if (found) return found;
    const more = layers === compared ? begun : this.planned(build(compared).graph, compared);
    const allocation = allocateWhole(more, backends);
    if (allocation && this.wereEnough) known.learn(begun, more, allocation);
    return allocation && allocation.bytes;
  }

  private planned(graph: Graph, { layers, others }: PlannedLayers): PlannedTape {
    const { steps, leafs } = this.scheduler.plan(graph);
    const tape = record(steps, leafs);
    const sizes = new TensorSizes(this.backends, tape.tensors.length);
    return {
      nodes: graph.nodes,
      tape,
      sizes,
      slices: { layers, begins: beginsAmong(tape.tensors, tape.leafs, layers), ...others },
    };
  }

  private assigned(builder: GraphBuilder): GraphBuilder {
    if (this.inputs.dryRun) for (const node of builder.graph.nodes) node.backend = UNASSIGNED;
    this.scheduler.assign(builder.graph);
    return builder;
  }

  /** The graph of one token a slot, with devices; the one before where nothing about it has changed. */
  private tried(flashAttn: boolean): GraphBuilder {
    const { nSeqMax } = this.inputs.params;
    if (this.last?.flashAttn === flashAttn && this.last.fusedOps === this.fused.size) return this.last.builder;
    const builder = this.build(nSeqMax, nSeqMax, flashAttn);
    this.scheduler.assign(builder.graph);
    this.last = { builder, flashAttn, fusedOps: this.fused.size };
    return builder;
  }

  /** `llama_context::resolve_fused_ops`: every layer's attention must run where the layer is. */
  flashAttentionRunsOnLayers(): boolean {
    const { flashNodes } = this.tried(true);
    return flashNodes.every((node) => this.runsOnItsLayer(node));
  }

  /** The rest of `resolve_fused_ops`: what a layer's device cannot run as one op is written out in all layers. */
  resolveFusedOps(flashAttn: boolean): void {
    for (const op of this.inputs.graph.fusedOps ?? []) {
      const { fusedNodes } = this.tried(flashAttn);
      if (!fusedNodes.every((node) => node.op !== op || this.runsOnItsLayer(node))) this.fused.delete(op);
    }
  }

  private runsOnItsLayer({ node, layer }: { readonly node: Tensor; readonly layer: number }): boolean {
    return this.backends[node.backend]?.memory === this.inputs.placement.layerDevice(layer);
  }

  private build(nTokens: number, nOutputs: number, flashAttn: boolean, nSeqs?: number, cells?: number): GraphBuilder {
    const { plans, shape } = this.inputs;
    const plan = plans[this.enough] as LayerPlan;
    const planned = this.beginningOf(plan);
    const builder = this.buildLayers(nTokens, nOutputs, flashAttn, planned, nSeqs, cells);
    this.refuseOversized(builder, plan, planned, () =>
      this.buildLayers(nTokens, nOutputs, flashAttn, allLayers(shape), nSeqs),
    );
    return builder;
  }

  /** Counts exactly only where the planned layers, each as often as it stands for another, come near the limit. */
  private refuseOversized(
    { graph }: GraphBuilder,
    { wholeSizes }: LayerPlan,
    planned: PlannedLayers,
    buildAll: () => GraphBuilder,
  ): void {
    const { shape, params, placement, adapters = [] } = this.inputs;
    const nTokens = Math.min(params.nCtx, params.nUbatch);
    const limit = maxNodes(shape.architecture, placement.tensorCount, nTokens) + adapterNodes(adapters);
    if (sizeOfAll(graph, planned) < limit) return;
    const key = [planned.layers.length, ...Object.values(graphSize(graph))].join();
    const whole = wholeSizes.get(key) ?? graphSize(buildAll().graph);
    wholeSizes.set(key, whole);
    refuseOversizedGraph(whole, limit);
  }

  private buildLayers(
    nTokens: number,
    nOutputs: number,
    flashAttn: boolean,
    { layers, leftOut }: PlannedLayers,
    nSeqs = this.inputs.params.nSeqMax,
    cells?: number,
  ): GraphBuilder {
    const { shape, params, placement, adapters, steered } = this.inputs;
    const memory = cells === undefined ? this.inputs.memory : filledTo(this.inputs.memory, cells, nSeqs);
    const nSeqTokens = Math.ceil(nTokens / nSeqs);
    const ubatch = { nTokens: nSeqTokens * nSeqs, nSeqs, nSeqTokens };
    const builder = new GraphBuilder({
      shape,
      params,
      memory,
      placement,
      backends: this.backends,
      ubatch,
      nOutputs,
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

/** A GPU's weight that is brought to another device: a copy's size depends on its type. */
function isCopyOfWeight({ original, layer }: Tensor): boolean {
  return original?.buffer?.usage === 'weights' && original.buffer.device !== 'cpu' && layer >= 0;
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
  for (let slot = from; slot < tensors.length; slot++)
    for (const source of (tensors[slot] as Tensor).src)
      while (source && source.layer >= (layers[begins.length] ?? Infinity)) begins.push(slot);
  return [...begins, ...Array.from({ length: layers.length + 1 - begins.length }, () => tensors.length)];
}
