import { refused, refuseUnevenShares } from '../refused-launches.js';
import { type DeviceBytes, largerOf } from '../ggml/device.js';
import { pad, type Tensor } from '../ggml/tensor.js';
import { UnsupportedOpError } from '../ggml/scheduler.js';
import type { KnownTapes } from '../ggml/known-tapes.js';
import { allocateWhole, type PlannedTape } from '../ggml/settled-allocation.js';
import type { ContextMemory } from '../caches/cache.js';
import type { ContextParams } from './context-params.js';
import { allLayers, type LayerPlan, type PlannedLayers } from './layers.js';
import { type Batch, type Decisions, Planner, type PlannerInputs } from './planner.js';

export interface ComputeInputs extends PlannerInputs {
  /** From the fewest to all: see `representativeLayers`. */
  readonly plans: readonly [LayerPlan, ...LayerPlan[]];
  /** Batches as they are computed, each planned for itself: see `batchesInUse`. */
  readonly inUse?: boolean;
}

export interface ComputeBuffers {
  readonly bytes: DeviceBytes;
  readonly flashAttn: boolean;
  /** False where a control vector is set of which the graph does not say where it goes. */
  readonly isSteered?: boolean;
}

/** What the plans that were tried have shown. */
interface Seen {
  /** Weights of a GPU are copied, so that layers whose types differ are told apart. */
  copiedWeights: boolean;
}

/** Which of a model's plans was enough last. Where more than one is, they say the same. */
const ENOUGH = new WeakMap<ComputeInputs['plans'], number>();

/**
 * `llama_context::sched_reserve` (`src/llama-context.cpp`, llama.cpp v0.5.0): the buffers that hold the largest prompt batch
 * and one token a slot, in bytes for each device. In a dry run only the prompt counts, and where nodes were told to run is
 * forgotten before it is measured: `ggml_backend_sched_reserve_size` (`ggml/src/ggml-backend.cpp`).
 */
export function computeBuffers(inputs: ComputeInputs): ComputeBuffers {
  const { plans } = inputs;
  try {
    const enough = ENOUGH.get(plans) ?? 0;
    const seen: Seen = { copiedWeights: false };
    for (let i = enough; i < plans.length; i++) {
      const plan = plans[i] as LayerPlan;
      if (plan.types === 'told-apart' && i > enough && !seen.copiedWeights) continue;
      const buffers = knownBuffers(inputs, plan, seen) ?? comparedBuffers(inputs, plan, seen, ENOUGH.has(plans));
      if (!buffers) continue;
      ENOUGH.set(plans, i);
      return buffers;
    }
  } catch (error) {
    if (error instanceof UnsupportedOpError) throw refused(error.message);
    throw error;
  }
  throw new Error('planning all layers leaves nothing out');
}

/** How many nodes the graph for the largest prompt batch has, with as few layers as possible. */
export function promptNodes(inputs: ComputeInputs, flashAttn: boolean): number {
  const { nCtx, nUbatch } = inputs.params;
  const [{ compared, wholeSizes }] = inputs.plans;
  return new Planner(inputs, compared, wholeSizes).nodes({ tokens: Math.min(nCtx, nUbatch), outputs: 1 }, flashAttn);
}

/** From what earlier launches were planned by; null where that says nothing of this one. */
function knownBuffers(inputs: ComputeInputs, plan: LayerPlan, seen: Seen): ComputeBuffers | null {
  const { once, known, wholeSizes } = plan;
  const layers = once[known.failures];
  if (!layers || known.isEmpty) return null;
  const planner = new Planner(inputs, layers, wholeSizes);
  const decisions = planner.decide();
  if (!isConfirmed(planner, known)) return null;
  return reserved(inputs, planner, decisions, (graph) => {
    const planned = graph(planner);
    return toldApart(plan, planned, seen) ? known.allocate(planned, inputs.placement.backends) : null;
  });
}

/**
 * By layers of which those that are left out are seen to be repetitions, or null where they are not. Further launches learn
 * from it: for a single one, it costs less to compare layers than to learn what they have in common.
 */
function comparedBuffers(inputs: ComputeInputs, plan: LayerPlan, seen: Seen, learns: boolean): ComputeBuffers | null {
  const { compared, known, wholeSizes } = plan;
  const { backends } = inputs.placement;
  const planner = new Planner(inputs, compared, wholeSizes);
  const decisions = planner.decide();
  if (!isConfirmed(planner, known)) {
    if (!decidesForAll(inputs, compared, decisions)) return null;
    for (const trial of planner.failedTrials) known.learnTrial(trial);
  }
  let few = learns ? fewPlanner(inputs, plan, decisions) : null;
  return reserved(inputs, planner, decisions, (graph) => {
    const planned = graph(planner);
    if (!toldApart(plan, planned, seen)) return null;
    const found = known.allocate(planned, backends);
    if (found) return found;
    const allocation = allocateWhole(planned, backends);
    if (allocation && learns && (few || !plan.once[known.failures])) {
      const learnt = known.learn(few ? graph(few) : planned, planned, allocation);
      if (!learnt) few = null;
    }
    return allocation && allocation.bytes;
  });
}

/** Whether a plan tells layers apart by all that a tape looks at. */
function toldApart({ types }: LayerPlan, { tape }: PlannedTape, seen: Seen): boolean {
  if (types !== 'ignored' || !tape.tensors.some(isCopyOfWeight)) return true;
  seen.copiedWeights = true;
  return false;
}

/** A GPU's weight that is brought to another device: a copy's size depends on its type. */
function isCopyOfWeight({ original, layer }: Tensor): boolean {
  return original?.buffer?.usage === 'weights' && original.buffer.device !== 'cpu' && layer >= 0;
}

/** Where trials succeed, graphs are planned as they were tried, and compared; of those that failed it has to be known. */
function isConfirmed({ failedTrials }: Planner, known: KnownTapes): boolean {
  return failedTrials.every((trial) => known.hasTrial(trial));
}

/** Whether some layers' trials say what those of all layers say. */
function decidesForAll(inputs: ComputeInputs, { layers }: PlannedLayers, decisions: Decisions): boolean {
  const all = allLayers(inputs.shape);
  return layers.length === all.layers.length || isSame(new Planner(inputs, all, new Map()).decide(), decisions);
}

/** Of the fewest layers of which a trial says the same. */
function fewPlanner(
  inputs: ComputeInputs,
  { once, known, wholeSizes }: LayerPlan,
  decisions: Decisions,
): Planner | null {
  for (;;) {
    const layers = once[known.failures];
    if (!layers) return null;
    const planner = new Planner(inputs, layers, wholeSizes);
    if (isSame(planner.decide(), decisions)) {
      for (const trial of planner.failedTrials) known.learnTrial(trial);
      return planner;
    }
    known.failures++;
  }
}

function isSame(a: Decisions, b: Decisions): boolean {
  return a.flashAttn === b.flashAttn && [...a.fused].join() === [...b.fused].join();
}

/** A graph that is reserved, of the layers that a planner has. */
type PlannedGraph = (planner: Planner) => PlannedTape;

/** Null where what a graph takes is not known. */
function reserved(
  inputs: ComputeInputs,
  planner: Planner,
  { flashAttn }: Decisions,
  allocate: (graph: PlannedGraph) => DeviceBytes | null,
): ComputeBuffers | null {
  let bytes: DeviceBytes = { gpus: [], cpu: 0 };
  for (const graph of graphsOf(inputs, flashAttn)) {
    const taken = allocate(graph);
    if (!taken) return null;
    bytes = largerOf(bytes, taken);
  }
  return { bytes, flashAttn, isSteered: planner.isSteered };
}

function* graphsOf(inputs: ComputeInputs, flashAttn: boolean): Generator<PlannedGraph> {
  const { params, memory, graph, shape } = inputs;
  const planned =
    (batch: Batch): PlannedGraph =>
    (planner) =>
      planner.planned(batch, flashAttn);
  if (inputs.inUse) {
    yield* batchesInUse(params, memory).map(planned);
    return;
  }
  const tokens = Math.min(params.nCtx, params.nUbatch);
  const outputs = params.llama.logitsOfSlots ? Math.min(tokens, params.nOutputsMax) : pad(tokens, params.nSeqMax);
  yield (planner) => planner.generation(flashAttn);
  yield planned({ tokens, outputs });
  if (!graph.alsoOneSequence || params.nSeqMax === 1) return;
  refuseUnevenShares(shape.architecture, tokens, params);
  yield planned({ tokens, outputs, nSeqs: 1 });
}

/**
 * A whole batch of one prompt from an empty cache on, since what is placed shrinks and grows with what is read of the cache; then
 * what each slot has drafted after its first token.
 */
function batchesInUse(
  { nCtxSeq, nBatch, nUbatch, nSeqMax, kvUnified, role }: ContextParams,
  { compressed }: ContextMemory,
): readonly Batch[] {
  const tokens = Math.min(nCtxSeq, nBatch);
  const parts = Math.ceil(tokens / nUbatch);
  const prompt = Array.from({ length: parts }, (_, i) => ({
    tokens: Math.min(nCtxSeq, nUbatch),
    outputs: i + 1 === parts ? 1 : 0,
    // Graphs over compressed keys are described for all sequences only.
    nSeqs: compressed ? nSeqMax : 1,
    cells: Math.min(tokens, (i + 1) * nUbatch),
  }));
  const drafted = Math.min(nUbatch, nSeqMax * role.outputsPerSlot);
  const cells = (1 + role.outputsPerSlot) * (kvUnified ? nSeqMax : 1);
  return [...prompt, { tokens: drafted, outputs: drafted, nSeqs: nSeqMax, cells }];
}
