import { refused, refuseUnevenShares } from '../refused-launches.js';
import { type DeviceBytes, largerOf } from '../ggml/device.js';
import { pad, type Tensor } from '../ggml/tensor.js';
import { UnsupportedOpError } from '../ggml/scheduler.js';
import { allocateFound, type FoundTape, type KnownTapes } from '../ggml/known-tapes.js';
import { allocateWhole, type PlannedTape } from '../ggml/settled-allocation.js';
import { batchesInUse } from './batches-in-use.js';
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
    const first = ENOUGH.get(plans) ?? 0;
    const seen: Seen = { typesMatter: false };
    for (let i = first; i < plans.length; i++) {
      const plan = plans[i] as LayerPlan;
      if (plan.types === 'told-apart' && i > first && !seen.typesMatter) continue;
      const buffers = knownBuffers(inputs, plan) ?? comparedBuffers(inputs, plan, ENOUGH.has(plans), seen);
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
  return new Planner(inputs, compared, { wholeSizes }).nodes(
    { tokens: Math.min(nCtx, nUbatch), outputs: 1 },
    flashAttn,
  );
}

interface Seen {
  /** Weights of a GPU were seen to be copied. */
  typesMatter: boolean;
}

/** A GPU's weight that is brought to another device: a copy's size depends on its type. */
function isCopyOfWeight({ original, layer }: Tensor): boolean {
  return original?.buffer?.usage === 'weights' && original.buffer.device !== 'cpu' && layer >= 0;
}

/** From what earlier launches were planned by; null where that says nothing of this one. */
function knownBuffers(inputs: ComputeInputs, { compared, once, known, wholeSizes }: LayerPlan): ComputeBuffers | null {
  if (known.isEmpty) return null;
  const { backends } = inputs.placement;
  const planner = new Planner(inputs, once[known.failures] ?? compared, { wholeSizes, known });
  const decisions = planner.decide();
  if (!isConfirmed(planner, known)) return null;
  return reserved(inputs, planner, decisions, (graph) => {
    const planned = graph(planner);
    return isFound(planned) ? allocateFound(planned, backends) : known.allocate(planned, backends);
  });
}

/**
 * By layers of which those that are left out are seen to be repetitions, or null where they are not. Further launches learn
 * from it: for a single one, it costs less to compare layers than to learn what they have in common.
 */
function comparedBuffers(inputs: ComputeInputs, plan: LayerPlan, learns: boolean, seen: Seen): ComputeBuffers | null {
  const { compared, known, wholeSizes } = plan;
  const planner = new Planner(inputs, compared, { wholeSizes, keeps: learns });
  const decisions = planner.decide();
  if (!isConfirmed(planner, known)) {
    if (!decidesForAll(inputs, compared, decisions)) return null;
    for (const trial of planner.failedTrials) known.learnTrial(trial);
  }
  let few = learns ? fewPlanner(inputs, plan, decisions, planner) : null;
  return reserved(inputs, planner, decisions, (graph) => {
    const planned = graph(planner) as PlannedTape;
    if (plan.types === 'ignored' && planned.tape.tensors.some(isCopyOfWeight)) {
      seen.typesMatter = true;
      return null;
    }
    const allocation = allocateWhole(planned, inputs.placement.backends);
    if (allocation && few) {
      const learnt = known.learn(few === planner ? planned : (graph(few) as PlannedTape), planned, allocation);
      if (!learnt) few = null;
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

/** Of the fewest layers of which a trial says the same, or of those that are compared. */
function fewPlanner(
  inputs: ComputeInputs,
  { once, known, wholeSizes }: LayerPlan,
  decisions: Decisions,
  compared: Planner,
): Planner {
  for (;;) {
    const layers = once[known.failures];
    if (!layers) return compared;
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
  return { bytes, flashAttn, isSteered: planner.isSteered };
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
  yield (planner) => planner.generation(flashAttn);
  yield planned({ tokens, outputs });
  if (!graph.alsoOneSequence || params.nSeqMax === 1) return;
  refuseUnevenShares(shape.architecture, tokens, params);
  yield planned({ tokens, outputs, nSeqs: 1 });
}
