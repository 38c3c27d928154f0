import type { ModelShape } from '../model/model-shape.js';
import type { Accelerator } from '../runtime/launch-options.js';
import type { Switches } from '../runtime/llama-cpp.js';
import type { ContextMemory } from './cache.js';
import { type ContextParams, refused } from './context.js';
import type { Backend } from './ggml/backend.js';
import { allocateGraph, type BufferSizes } from './ggml/graph-allocator.js';
import { blasBackend, cpuBackend } from './ggml/cpu/backends.js';
import { discreteGpuBackend, metalBackend } from './ggml/metal/backend.js';
import { pad } from './ggml/tensor.js';
import { Scheduler, UnsupportedOpError } from './ggml/scheduler.js';
import { maxNodes, refuseOversizedGraph } from './graph-capacity.js';
import { allLayers, isSettled, type PlannedLayers } from './layers.js';
import { GraphBuilder } from './graph/builder.js';
import type { Placement } from './placement.js';

/** In order of priority. Macs have Accelerate between GPU and CPU. */
function backendsOf(accelerator: Accelerator, llama: Switches): readonly Backend[] {
  if (accelerator === 'cpu') return [cpuBackend];
  return accelerator === 'metal' ? [metalBackend(llama), blasBackend, cpuBackend] : [discreteGpuBackend, cpuBackend];
}

export interface ComputeInputs {
  readonly shape: ModelShape;
  readonly params: ContextParams;
  readonly memory: ContextMemory;
  readonly placement: Placement;
  readonly accelerator: Accelerator;
  readonly buildGraph: (g: GraphBuilder) => void;
  readonly planned: PlannedLayers;
}

export interface ComputeBuffers extends BufferSizes {
  readonly flashAttn: boolean;
}

/**
 * `llama_context::sched_reserve` (`src/llama-context.cpp`, llama.cpp v0.5.0): the buffers that hold the largest prompt batch
 * and one token a slot, in bytes for each device.
 */
export function computeBuffers(inputs: ComputeInputs): ComputeBuffers {
  const { params } = inputs;
  const planner = new Planner(inputs);
  try {
    const flashAttn = params.autoFlashAttn ? planner.flashAttentionRunsOnLayers() : params.flashAttn;
    const nTokens = Math.min(params.nCtx, params.nUbatch);
    const nOutputs = params.llama.logitsOfSlots ? Math.min(nTokens, params.nOutputsMax) : pad(nTokens, params.nSeqMax);
    const prompt = planner.reserve(nTokens, nOutputs, flashAttn);
    const generation = planner.reserve(params.nSeqMax, params.nSeqMax, flashAttn);
    return { gpu: Math.max(prompt.gpu, generation.gpu), cpu: Math.max(prompt.cpu, generation.cpu), flashAttn };
  } catch (error) {
    if (error instanceof UnsupportedOpError) throw refused(error.message);
    throw error;
  }
}

class Planner {
  private readonly backends: readonly Backend[];
  private readonly scheduler: Scheduler;

  constructor(private readonly inputs: ComputeInputs) {
    this.backends = backendsOf(inputs.accelerator, inputs.params.llama);
    this.scheduler = new Scheduler(this.backends, inputs.params.opOffload);
  }

  /** `llama_context::graph_reserve`; every layer is planned where leaving some out might matter. */
  reserve(nTokens: number, nOutputs: number, flashAttn: boolean): BufferSizes {
    const { planned, shape } = this.inputs;
    const states = new Map<number, string>();
    const sizes = this.plan(this.build(nTokens, nOutputs, flashAttn), (layer, state) => states.set(layer, state));
    if (isSettled(planned, states)) return sizes;
    return this.plan(this.buildLayers(nTokens, nOutputs, flashAttn, allLayers(shape)));
  }

  private plan({ graph }: GraphBuilder, onLayer?: (layer: number, state: string) => void): BufferSizes {
    this.scheduler.assign(graph);
    return allocateGraph(this.scheduler.steps(graph), graph.leafs, this.backends, onLayer);
  }

  /** `llama_context::resolve_fused_ops`: every layer's attention must run where the layer is. */
  flashAttentionRunsOnLayers(): boolean {
    const { nSeqMax } = this.inputs.params;
    const { graph, flashNodes } = this.build(nSeqMax, nSeqMax, true);
    this.scheduler.assign(graph);
    return flashNodes.every(
      ({ node, layer }) => this.backends[node.backend]?.memory === this.inputs.placement.layerDevice(layer),
    );
  }

  private build(nTokens: number, nOutputs: number, flashAttn: boolean): GraphBuilder {
    const builder = this.buildLayers(nTokens, nOutputs, flashAttn, this.inputs.planned);
    this.refuseOversized(builder, () => this.buildLayers(nTokens, nOutputs, flashAttn, allLayers(this.inputs.shape)));
    return builder;
  }

  /** Counts exactly only where the planned layers, multiplied, come near the limit. */
  private refuseOversized({ graph }: GraphBuilder, buildAll: () => GraphBuilder): void {
    const { shape, params, placement, planned } = this.inputs;
    const limit = maxNodes(shape.architecture, placement.tensorCount, Math.min(params.nCtx, params.nUbatch));
    const size = graph.nodes.length + graph.leafs.length;
    if ((size * shape.hparams.nLayer) / planned.layers.length < limit) return;
    const all = buildAll().graph;
    refuseOversizedGraph(all.nodes.length, all.leafs.length, limit);
  }

  private buildLayers(nTokens: number, nOutputs: number, flashAttn: boolean, { layers }: PlannedLayers): GraphBuilder {
    const { shape, params, memory, placement } = this.inputs;
    const nSeqs = params.nSeqMax;
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
      layers,
    });
    this.inputs.buildGraph(builder);
    builder.complete();
    return builder;
  }
}
