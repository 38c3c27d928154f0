import { refused, refuseUnevenShares } from '../refused-launches.js';
import { type DeviceBytes, largerOf } from '../ggml/device.js';
import { pad, type Tensor } from '../ggml/tensor.js';
import { UnsupportedOpError } from '../ggml/scheduler.js';
import { allocateFound, type FoundTape, type KnownTapes } from '../ggml/repeats/known-tapes.js';
import { allocateWhole, type PlannedTape } from '../ggml/repeats/settled-allocation.js';
import { batchesInUse } from './batches-in-use.js';
import { allLayers, type LayerPlan, type LayerPlans, type PlannedLayers } from './layers.js';
import type { ComputeBuffers } from './planned-before.js';
import { type Batch, type Decisions, Planner, type PlannerInputs } from './planner.js';

export interface ComputeInputs extends PlannerInputs {
  /** From the fewest to all: see `representativeLayers`. */
  readonly plans: LayerPlans;
  /** Batches as they are computed, each planned for itself: see `batchesInUse`. */
  readonly inUse?: boolean;
}

/** So many launches are planned by comparing before something is learned from one: most searches end before that pays. */
const LEARNS_AFTER = 2;

/** Which of a model's plans was enough last, and for how many launches. Where more than one is, they say the same. */
const ENOUGH = new WeakMap<ComputeInputs['plans'], { readonly index: number; readonly launches: number }>();

/**
 * `llama_context::sched_reserve` (`src/llama-context.cpp`, llama.cpp v0.5.0): the buffers that hold the largest prompt batch
 * and one token a slot, in bytes for each device. In a dry run only the prompt counts, and where nodes were told to run is
 * forgotten before it is measured: `ggml_backend_sched_reserve_size` (`ggml/src/ggml-backend.cpp`).
 */
export function computeBuffers(inputs: ComputeInputs): ComputeBuffers {
  const { plans } = inputs;
  const before = plans.before.find(inputs, plans.types);
  if (before !== undefined) return before;
  try {
    const { index: first, launches } = ENOUGH.get(plans) ?? { index: 0, launches: 0 };
    const seen: Seen = { copiesOnGpu: false, copies: false };
    for (let i = first, plan; (plan = plans.at(i)) !== undefined; i++) {
      if (plan.types === 'told-apart' && i > first && !seen.copiesOnGpu) continue;
      const buffers = knownBuffers(inputs, plan, seen) ?? comparedBuffers(inputs, plan, launches >= LEARNS_AFTER, seen);
      if (!buffers) continue;
      plans.before.keep(inputs, buffers, seen.copies ? plans.types : undefined);
      ENOUGH.set(plans, { index: i, launches: launches + 1 });
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
  const { compared, wholeSizes } = inputs.plans.at(0) as LayerPlan;
  return new Planner(inputs, compared, { wholeSizes }).nodes(
    { tokens: Math.min(nCtx, nUbatch), outputs: 1 },
    flashAttn,
  );
}

/** What the plans that were tried have shown. */
interface Seen {
  /** Weights of a GPU are copied, so that layers whose types differ are told apart. */
  copiesOnGpu: boolean;
  /** Weights of any device are. */
  copies: boolean;
}

/** Whether a plan tells layers apart by all that a tape looks at. */
function toldApart({ types }: LayerPlan, tensors: readonly (Tensor | undefined)[], seen: Seen): boolean {
  seen.copies ||= tensors.some(isCopyOfWeight);
  if (types !== 'ignored' || !tensors.some(isCopyOfGpus)) return true;
  seen.copiesOnGpu = true;
  return false;
}

/** A weight that is brought to another device: a copy's size depends on its type. */
function isCopyOfWeight(tensor: Tensor | undefined): boolean {
  return tensor?.original?.buffer?.usage === 'weights';
}

function isCopyOfGpus(tensor: Tensor | undefined): boolean {
  return isCopyOfWeight(tensor) && tensor?.original?.buffer?.device !== 'cpu' && (tensor?.layer ?? -1) >= 0;
}

/** From what earlier launches were planned by; null where that says nothing of this one. */
function knownBuffers(inputs: ComputeInputs, plan: LayerPlan, seen: Seen): ComputeBuffers | null {
  const { compared, once, known, wholeSizes } = plan;
  if (known.isEmpty) return null;
  const { backends } = inputs.placement;
  const planner = new Planner(inputs, once[known.failures] ?? compared, { wholeSizes, known });
  const decisions = planner.decide();
  if (!isConfirmed(planner, known)) return null;
  return reserved(inputs, planner, decisions, (graph) => {
    const planned = graph(planner);
    if (!toldApart(plan, isFound(planned) ? planned.tensors : planned.tape.tensors, seen)) return null;
    return isFound(planned) ? allocateFound(planned, backends) : known.allocate(planned, backends);
  });
}

/**
 * By layers of which those that are left out are seen to be repetitions, or null where they are not. Further launches learn
 * from it: for a single one, it costs less to compare layers than to learn what they have in common.
 */
function comparedBuffers(inputs: ComputeInputs, plan: LayerPlan, learns: boolean, seen: Seen): ComputeBuffers | null {
  const { compared, once, known, layouts, wholeSizes } = plan;
  const learnsByItself = learns && !once[known.failures];
  const planner = new Planner(inputs, compared, { wholeSizes, keeps: learnsByItself });
  const decisions = planner.decide();
  if (!isConfirmed(planner, known)) {
    if (!decidesForAll(inputs, compared, decisions)) return null;
    for (const trial of planner.failedTrials) known.learnTrial(trial);
  }
  let few = learnsByItself ? planner : learns ? fewPlanner(inputs, plan, decisions) : null;
  return reserved(inputs, planner, decisions, (graph) => {
    const planned = graph(planner) as PlannedTape;
    if (!toldApart(plan, planned.tape.tensors, seen)) return null;
    const allocation = allocateWhole(planned, inputs.placement.backends, layouts);
    while (allocation && few) {
      const begun: PlannedTape = few === planner ? planned : (graph(few) as PlannedTape);
      if (known.learn(begun, planned, allocation)) break;
      few = fewPlanner(inputs, plan, decisions);
    }
    return allocation && allocation.bytes;
  });
}

/** Where trials succeed, graphs are planned as they were tried, and compared; of those that failed it has to be known. */
function isConfirmed({ failedTrials }: Planner, known: KnownTapes): boolean {
  return failedTrials.every((trial) => known.hasTrial(trial));
}

/** Whether some layers' trials say what those of all layers say. */
function decidesForAll(inputs: ComputeInputs, { layers }: PlannedLayers, decisions: Decisions): boolean {
  const all = allLayers(inputs.shape);
  return (
    layers.length === all.layers.length ||
    isSame(new Planner(inputs, all, { wholeSizes: new Map() }).decide(), decisions)
  );
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
    const planner = new Planner(inputs, layers, { wholeSizes, keeps: true });
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
type PlannedGraph = (planner: Planner) => PlannedTape | FoundTape;

function isFound(planned: PlannedTape | FoundTape): planned is FoundTape {
  return 'known' in planned;
}

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
  return { bytes, flashAttn, scratch: planner.scratch, isSteered: planner.isSteered };
}

function* graphsOf(inputs: ComputeInputs, flashAttn: boolean): Generator<PlannedGraph> {
  const { params, graph, shape } = inputs;
  const planned =
    (batch: Batch): PlannedGraph =>
    (planner) =>
      planner.planned(batch, flashAttn);
  if (inputs.inUse) {
    yield* batchesInUse(inputs).map(planned);
    return;
  }
  const tokens = Math.min(params.nCtx, params.nUbatch);
  const outputs = params.llama.logitsOfSlots ? Math.min(tokens, params.nOutputsMax) : pad(tokens, params.nSeqMax);
  const alsoOneSequence = graph.alsoOneSequence === true && params.nSeqMax > 1;
  if (alsoOneSequence) refuseUnevenShares(shape.architecture, tokens, params);
  // `sched_reserve` (`src/llama-context.cpp`) keeps the sizes of the first graph only where nothing is allocated.
  if (!inputs.dryRun) yield (planner) => planner.generation(flashAttn);
  yield planned({ tokens, outputs });
  if (alsoOneSequence && !inputs.dryRun) yield planned({ tokens, outputs, nSeqs: 1 });
}
