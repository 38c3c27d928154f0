import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { llamaCpp } from '../../runtime/llama-cpp.js';
import { boundComputeBuffers } from '../bound-compute.js';
import { type ContextMemory, createMemory } from '../caches/cache.js';
import { computeBuffers, type ComputeInputs, promptNodes } from './compute.js';
import { type ContextParams, type ContextRole, resolveContext } from './context-params.js';
import type { ComputeBuffers } from './planned-before.js';
import type { GpuPlan } from '../devices.js';
import type { DeviceBytes } from '../ggml/device.js';
import type { Adapters, PlacedFactor } from '../graph/loaded/adapters.js';
import type { ArchitectureGraph } from '../graph/architecture-graph.js';
import { GRAPHS } from '../graph/graphs.js';
import { DRAFT_HEADS } from '../graph/draft-heads/table.js';
import type { KindOf } from './layer-kinds.js';
import { everyLayer, representativeLayers } from './layers.js';
import type { EstimatePart, PartOwner } from '../memory-estimate.js';
import { accuracyBeside, accuracyOn, partsOf } from '../parts.js';
import { Placement } from '../weights/placement.js';
import { layerOf, nameInBlock } from '../../model/block-name.js';
import { refuseNewerModel, refuseSkippedFactors } from '../version-limits.js';

export interface ContextOptions {
  /** What speculative decoding makes of the context; unset: there is none. */
  readonly role?: ContextRole | undefined;
  /** Adapters that are applied. */
  readonly adapters?: Adapters | undefined;
  /** A control vector is set. */
  readonly steered?: boolean;
  /** Layers that repeat each other are planned too; the figures are the same. */
  readonly everyLayer?: boolean;
  /** What llama.cpp's own dry run for `--fit` says of compute buffers, which is not always what it will allocate. */
  readonly dryRun?: boolean;
  /** Weights are loaded when the graph is planned: each lies by itself. */
  readonly weightsApart?: boolean;
  /** Compute buffers for batches as they come, not for the largest. */
  readonly inUse?: boolean;
}

/** A `llama_context` before anything is computed with it. */
export interface PlannedContext {
  readonly shape: ModelShape;
  readonly params: ContextParams;
  readonly placement: Placement;
  readonly memory: ContextMemory;
  readonly compute: ComputeBuffers;
  /** The architecture's layer graph is known, so the figures are not a bound. */
  readonly described: boolean;
}

/**
 * The constructor of `llama_context` (`src/llama-context.cpp`, llama.cpp v0.5.0).
 * @throws UsageError for combinations that llama.cpp refuses.
 * @throws CheckIncompleteError when the header lacks what the model's graph needs.
 */
export function planContext(shape: ModelShape, launch: LaunchOptions, options: ContextOptions = {}): PlannedContext {
  refuseNewerModel(shape, llamaCpp(launch.llamaCpp));
  refuseSkippedFactors(shape, launch);
  const { params, placement, memory } = unplannedContext(shape, launch, options);
  const graph = graphOf(shape, params);
  const described = graph !== undefined;
  const compute = graph
    ? planGraph(graph, { shape, params, placement, memory }, options)
    : boundComputeBuffers(shape, params, memory, placement, launch.accelerator);
  return { shape, params, placement, memory, compute, described };
}

function graphOf(shape: ModelShape, { role }: ContextParams): ArchitectureGraph | undefined {
  const heads = role.predictsAhead && shape.hparams.nLayer > 0;
  const found = (heads ? DRAFT_HEADS : GRAPHS)[shape.architecture];
  return (found?.describes?.(shape) ?? true) ? found : undefined;
}

/**
 * Whether a context's graphs get more or fewer nodes by what a draft asks for: only then does llama.cpp plan for batches that are
 * not larger than the one that it reserved for (`ggml_gallocr_needs_realloc`, `ggml/src/ggml-alloc.c`, v0.5.0).
 */
export function changesGraphs(context: PlannedContext, role: ContextRole): boolean {
  const { shape, params, compute } = context;
  const graph = graphOf(shape, params);
  if (!graph) return true;
  const nodesOf = (asked: ContextParams): number => {
    const inputs = { ...context, params: asked };
    return promptNodes({ ...inputs, graph, plans: plannedLayers(graph, inputs, []) }, compute.flashAttn);
  };
  return nodesOf(params) !== nodesOf({ ...params, role });
}

type UnplannedContext = Pick<PlannedContext, 'shape' | 'params' | 'placement' | 'memory'>;

function unplannedContext(
  shape: ModelShape,
  launch: LaunchOptions,
  { role, weightsApart }: ContextOptions = {},
): UnplannedContext {
  const params = resolveContext(shape, launch, role);
  const placement = Placement.of(shape, launch, weightsApart);
  return { shape, params, placement, memory: createMemory(shape, params, placement) };
}

/** The parts of a context but its compute buffers, for which a graph would have to be planned. */
export function partsWithoutGraph(shape: ModelShape, launch: LaunchOptions): EstimatePart[] {
  const compute = { bytes: NOTHING, flashAttn: false };
  return contextParts({ ...unplannedContext(shape, launch), compute, described: true }, launch, 'model');
}

/** The buffers for a graph over a context that is there. */
export function planGraph(
  graph: ArchitectureGraph,
  { shape, params, placement, memory }: UnplannedContext,
  { everyLayer: all = false, dryRun = false, inUse = false, adapters, steered }: ContextOptions,
): ComputeBuffers {
  const plans = all
    ? everyLayer(shape)
    : plannedLayers(graph, { shape, params, placement, memory }, adapters?.flat() ?? []);
  return computeBuffers({ shape, params, memory, placement, graph, plans, dryRun, inUse, adapters, steered });
}

function plannedLayers(
  { kindOf = () => 0, kindWithoutParts }: ArchitectureGraph,
  { shape, params, placement, memory }: UnplannedContext,
  factors: readonly PlacedFactor[],
): ComputeInputs['plans'] {
  const { role } = params;
  const { nLayer, blockOf } = shape.hparams;
  if (role.predictsAhead || nLayer === 0) return everyLayer(shape);
  const adapted: string[][] = blockOf.map(() => []);
  for (const { weight, tensor } of factors)
    adapted[layerOf(weight) ?? -1]?.push(`${nameInBlock(tensor.name)}:${tensor.dims.join('x')}`);
  const also = (kind: KindOf): KindOf => {
    return (layer) =>
      `${kind(layer, shape)} ${role.tapped.includes(layer)} ${adapted[blockOf[layer] as number]?.join()}`;
  };
  return representativeLayers(shape, placement, memory, {
    kindOf: also(kindOf),
    kindWithoutParts: kindWithoutParts && also(kindWithoutParts),
  });
}

/** The parts that a context adds to its weights. */
export function contextParts(
  { shape, params, memory, compute, described, placement: { gpus } }: PlannedContext,
  launch: LaunchOptions,
  of: PartOwner,
): EstimatePart[] {
  const accuracy = of === 'model' ? accuracyOn(launch) : accuracyBeside(launch);
  const planned = described ? accuracy : 'bound';
  // Several GPUs share it by what is free on each once the weights are there.
  const expertsAccuracy = gpus.used.length > 1 ? 'modelled' : accuracy;
  return [
    ...partsOf({ name: 'kv-cache', of, accuracy: planned }, memory.kvBytes, gpus),
    ...partsOf({ name: 'recurrent-state', of, accuracy: planned }, memory.recurrentBytes, gpus),
    ...partsOf({ name: 'expert-cache', of, accuracy: expertsAccuracy }, memory.experts?.bytes ?? NOTHING, gpus),
    ...partsOf({ name: 'compute', of, accuracy: planned }, compute.bytes, gpus),
    ...partsOf({ name: 'output', of, accuracy }, { gpus: [], cpu: outputBytes(shape, params, params.nSeqMax) }, gpus),
    ...(of === 'model' ? [] : scratchParts(compute, of, gpus)),
  ];
}

/** The model's own is among what its GPUs need beside buffers. */
function scratchParts({ scratch = [] }: ComputeBuffers, of: PartOwner, gpus: GpuPlan): EstimatePart[] {
  return partsOf({ name: 'runtime-overhead', of, accuracy: 'modelled' }, { gpus: scratch, cpu: 0 }, gpus);
}

const NOTHING: DeviceBytes = { gpus: [], cpu: 0 };
const F32_BYTES = 4;

/**
 * `llama_context::output_reserve` (`src/llama-context.cpp`, llama.cpp v0.5.0): rows of logits, of embeddings where asked for,
 * of what a sampler leaves (logits, probabilities, candidates, one token), and the inputs that a draft reads of every token.
 */
export function outputBytes({ hparams }: ModelShape, params: ContextParams, rows: number): number {
  const { embeddings, nBatch, role } = params;
  const { nVocab, nEmbd, nEmbdOut } = hparams;
  const width =
    nVocab +
    (embeddings || hparams.encoder === 'with-decoder' ? nEmbdOut : 0) +
    (role.keepsRows ? nEmbdOut : 0) +
    (role.sampled ? 3 * nVocab + 1 : 0);
  const perToken = (role.keepsAllRows ? nEmbdOut : 0) + role.tapped.length * nEmbd;
  return F32_BYTES * (rows * width + nBatch * perToken);
}
