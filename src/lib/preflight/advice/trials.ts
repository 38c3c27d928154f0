import { type BudgetPolicy, gpuBudget, memoryBudget } from '../../budget/budget-policy.js';
import { LlmkubeError } from '../../errors.js';
import { estimateLaunch, type LaunchFiles, knownBesideModel } from '../../estimate/estimate-launch.js';
import { partsWithoutGraph } from '../../estimate/context/plan-context.js';
import { fixedMemory, leastMemory } from '../../estimate/estimate-memory.js';
import { type EstimatePart, type MemoryEstimate, type PartName, totalBytes } from '../../estimate/memory-estimate.js';
import type { HostMemory } from '../../host/host-memory.js';
import { Kept } from '../../kept.js';
import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import { type LaunchOptions, withoutOptions } from '../../runtime/launch-options.js';
import { usesDraft } from '../../runtime/options/draft-options.js';
import type { DraftReason } from '../beside/find-draft.js';
import { isDiscrete, judge, limitsOf } from '../judge/judge.js';
import { onMachine } from '../judge/on-machine.js';
import { headroomBytes, type CompletedVerdict, type LimitCheck } from '../judge/verdict.js';
import type { DraftVariant } from './advice.js';
import { GraphMemory } from './graph-memory.js';

/** A context below this is of little use to a conversation. */
export const LEAST_USEFUL_CONTEXT = 2048;

/** A machine, how much of it may be used, and what is loaded beside the model. */
export interface Room {
  readonly host: HostMemory;
  readonly policy: BudgetPolicy;
  readonly beside?: Omit<LaunchFiles, 'model'>;
  /** Why the draft beside it is loaded. */
  readonly draftReason?: DraftReason | undefined;
  /** Smaller files of that draft, for launches that name one. */
  readonly otherDrafts?: readonly DraftVariant[];
}

/** How much limits leave, in bytes; negative where something does not fit. */
export type Measure = (limits: readonly LimitCheck[]) => number;

/** The least that any of the limits meant leaves, with a share of each budget kept free. */
export function leastLeft(spareShare = 0, isMeant: (limit: LimitCheck) => boolean = () => true): Measure {
  const left = (limit: LimitCheck): number => headroomBytes(limit) - Math.max(0, limit.budget.bytes) * spareShare;
  return (limits) => Math.min(Infinity, ...limits.filter(isMeant).map(left));
}

/** Under any limit. */
const LEFT = leastLeft();
/** A quantization's graph takes about what another one's takes with the same launch; of that so much is sure enough to refuse on. */
const SURE_SHARE = 0.9;
const WEIGHTS: ReadonlySet<PartName> = new Set(['weights', 'weights-unread', 'weights-copy']);

/** Judges launches of models, each estimated once; undefined for what llama.cpp refuses to run. */
export class Trials {
  readonly #estimates = new WeakMap<ModelShape, Map<string, MemoryEstimate | undefined>>();
  /** What contexts take but for their graphs: a model's quantizations alike. */
  readonly #contexts = new Kept<Hparams, readonly EstimatePart[] | undefined>();
  readonly #withoutGraph = new Kept<ModelShape, readonly EstimatePart[] | undefined>();
  readonly #graphs = new GraphMemory();
  readonly #tooLarge = new WeakMap<Hparams, Set<string>>();

  constructor(readonly room: Room) {}

  judge(shape: ModelShape, launch: LaunchOptions, { host, policy }: Room = this.room): CompletedVerdict | undefined {
    const estimate = this.estimate(shape, onMachine(launch, host));
    return estimate && judge(estimate, limitsOf(estimate, launch.accelerator, host, policy));
  }

  /** The verdict when the launch fits, else undefined. */
  fitting(shape: ModelShape, launch: LaunchOptions, room: Room = this.room): CompletedVerdict | undefined {
    if (!this.canFit(shape, launch, LEFT, room)) return undefined;
    const verdict = this.judge(shape, launch, room);
    return verdict?.kind === 'does-not-fit' ? undefined : verdict;
  }

  /** Whether anything is left by that measure. Nothing is planned for what does not fit without a graph. */
  fits(shape: ModelShape, launch: LaunchOptions, measure: Measure = LEFT): boolean {
    return this.canFit(shape, launch, measure) && this.headroom(shape, launch, measure) >= 0;
  }

  /** False where a launch cannot fit, whatever its graph takes; cheap. */
  canFit(shape: ModelShape, launch: LaunchOptions, measure: Measure = LEFT, room: Room = this.room): boolean {
    const least = this.leastLimits(shape, launch, room);
    return least === undefined || measure(least) >= 0;
  }

  /**
   * What a launch holds at the least under each limit, with what little is sure of its graph: cheap. Undefined where a draft makes
   * another context of it, and where llama.cpp refuses it.
   */
  leastLimits(shape: ModelShape, launch: LaunchOptions, room: Room = this.room): readonly LimitCheck[] | undefined {
    return this.#limitsBeside(this.#graphs.asKnown(onMachine(launch, room.host), SURE_SHARE), shape, launch, room);
  }

  /**
   * True when what no launch option takes away, the weights and the runtime's overhead, is more than the memory allows; then nothing
   * else need be tried. Devices with memory of their own can give weights to the host.
   */
  floorExceeds(shape: ModelShape, launch: LaunchOptions): boolean {
    return !this.#isHostAlone(launch) && this.fixedHeadroomAtMost(shape, launch) < 0;
  }

  /**
   * False where weights and caches are more than host and GPUs hold between them, wherever each of them lies. What a draft makes of them
   * is not known.
   */
  fitsTogether(shape: ModelShape, launch: LaunchOptions): boolean {
    const { host, policy } = this.room;
    const here = onMachine(launch, host);
    const context = this.#isOtherContext(launch) ? [] : this.#contextParts(shape, here);
    if (context === undefined) return true;
    const weights = leastMemory(shape, here, false).parts.filter(({ name }) => WEIGHTS.has(name));
    const gpus = host.gpus?.map((_, gpu) => gpuBudget(host, gpu)) ?? [gpuBudget(host)];
    const leftOnGpus = gpus.map((budget) => Math.max(0, budget?.bytes ?? Infinity));
    const left = leftOnGpus.reduce((sum, bytes) => sum + bytes, memoryBudget(host, policy).bytes);
    const beside = knownBesideModel(this.room.beside ?? {}, here);
    return totalBytes({ parts: [...weights, ...context, ...beside] }) <= left;
  }

  /** What the weights and the runtime's overhead leave of the memory. */
  fixedHeadroom(shape: ModelShape, launch: LaunchOptions): number {
    return this.#leftOfMemory(launch, fixedMemory(shape, onMachine(launch, this.room.host)));
  }

  /** The same at the most, however the files are read. */
  fixedHeadroomAtMost(shape: ModelShape, launch: LaunchOptions): number {
    return this.#leftOfMemory(launch, this.leastFixed(shape, launch));
  }

  /** The least that weights and the runtime's overhead take, however the files are read. */
  leastFixed(shape: ModelShape, launch: LaunchOptions): Pick<MemoryEstimate, 'parts'> {
    return leastMemory(shape, onMachine(launch, this.room.host), this.#isHostAlone(launch));
  }

  /** What a launch leaves of which the parts are known, but of a quantization whose file is so much smaller. */
  leftBySize({ accelerator }: LaunchOptions, { parts }: Pick<MemoryEstimate, 'parts'>, share: number): number {
    const { host, policy } = this.room;
    const scaled = parts.map((part) => (WEIGHTS.has(part.name) ? { ...part, bytes: part.bytes * share } : part));
    return LEFT(limitsOf({ parts: scaled }, accelerator, host, policy));
  }

  #leftOfMemory({ accelerator }: LaunchOptions, fixed: Pick<MemoryEstimate, 'parts'>): number {
    const { host, policy } = this.room;
    return leastLeft(0, ({ name }) => name === 'memory')(limitsOf(fixed, accelerator, host, policy));
  }

  #isHostAlone({ accelerator }: LaunchOptions): boolean {
    return isDiscrete(accelerator) && this.room.host.unifiedMemory !== true;
  }

  /** What a launch leaves by that measure, in bytes; -Infinity where llama.cpp refuses it. */
  headroom(shape: ModelShape, launch: LaunchOptions, measure: Measure = LEFT): number {
    const verdict = this.judge(shape, launch);
    return verdict === undefined ? -Infinity : measure(verdict.limits);
  }

  /**
   * What the same is at the most, since compute buffers and adapters are left out: cheap. Undefined where a draft makes another
   * context of it.
   */
  headroomAtMost(shape: ModelShape, launch: LaunchOptions, measure: Measure = LEFT): number | undefined {
    const limits = this.#limitsBeside([], shape, launch);
    return limits && measure(limits);
  }

  /** What the same probably is, by what was estimated so far: cheap. Undefined where the most is not known. */
  likelyHeadroom(shape: ModelShape, launch: LaunchOptions, measure: Measure = LEFT): number | undefined {
    const here = onMachine(launch, this.room.host);
    const limits = this.#limitsBeside(this.#graphs.asLikely(here), shape, launch);
    return limits && measure(limits);
  }

  /** Of a launch of which the machine is known. */
  estimate(shape: ModelShape, launch: LaunchOptions): MemoryEstimate | undefined {
    const known = this.#knownOf(shape);
    const key = keyOf(launch);
    if (!known.has(key)) {
      const files = { ...besideOf(this.room, launch), model: shape };
      const estimate = this.#isOversized(shape, launch)
        ? undefined
        : unlessRefused(
            () => estimateLaunch(files, launch),
            ({ code }) => code === 'LAUNCH_GRAPH_TOO_LARGE' && this.#oversized(shape).add(keyWithoutPlaces(launch)),
          );
      known.set(key, estimate);
      if (estimate) this.#graphs.learn(launch, estimate);
    }
    return known.get(key);
  }

  /** Takes the estimate of a launch on this machine from elsewhere. */
  know(shape: ModelShape, launch: LaunchOptions, estimate: MemoryEstimate): void {
    const here = onMachine(launch, this.room.host);
    this.#knownOf(shape).set(keyOf(here), estimate);
    this.#graphs.learn(here, estimate);
  }

  /** Under the parts that need no graph, with others. */
  #limitsBeside(
    others: readonly EstimatePart[],
    shape: ModelShape,
    launch: LaunchOptions,
    { host, policy }: Room = this.room,
  ): readonly LimitCheck[] | undefined {
    if (this.#isOtherContext(launch)) return undefined;
    const here = onMachine(launch, host);
    const known = this.#partsWithoutGraph(shape, here);
    if (known === undefined) return undefined;
    const beside = knownBesideModel(this.room.beside ?? {}, here);
    return limitsOf({ parts: [...known, ...beside, ...others] }, launch.accelerator, host, policy);
  }

  /** Weights, the runtime's overhead and what the context takes but for its graph; undefined where llama.cpp refuses it. */
  #partsWithoutGraph(shape: ModelShape, launch: LaunchOptions): readonly EstimatePart[] | undefined {
    return this.#withoutGraph.of(shape, keyOf(launch), () => {
      const context = this.#contextParts(shape, launch);
      return context && [...fixedMemory(shape, launch).parts, ...context];
    });
  }

  /** What a draft asks for makes another context of the model's. */
  #isOtherContext(launch: LaunchOptions): boolean {
    return launch.specTypes !== undefined || besideOf(this.room, launch)?.draft !== undefined;
  }

  /** But for the graph; undefined where llama.cpp refuses it. */
  #contextParts(shape: ModelShape, launch: LaunchOptions): readonly EstimatePart[] | undefined {
    const find = () => unlessRefused(() => partsWithoutGraph(shape, launch));
    // Experts that are kept on GPUs are as large as their types make them.
    if (launch.expertCacheMiB) return find();
    return this.#contexts.of(shape.hparams, keyOf(withoutOptions(launch, 'cpuMoeLayers', 'mmap', 'repack')), find);
  }

  /** Launches with more nodes than llama.cpp makes room for, whatever the context and wherever the weights lie. */
  #oversized({ hparams }: ModelShape): Set<string> {
    const known = this.#tooLarge.get(hparams) ?? new Set<string>();
    this.#tooLarge.set(hparams, known);
    return known;
  }

  #isOversized(shape: ModelShape, launch: LaunchOptions): boolean {
    return this.#oversized(shape).has(keyWithoutPlaces(launch));
  }

  #knownOf(shape: ModelShape): Map<string, MemoryEstimate | undefined> {
    const known = this.#estimates.get(shape) ?? new Map<string, MemoryEstimate | undefined>();
    this.#estimates.set(shape, known);
    return known;
  }
}

/** What a launch loads beside the model: of the drafts the one that it names, none where it neither names one nor asks for one. */
export function besideOf({ beside, otherDrafts = [] }: Room, { draft, specTypes = [] }: LaunchOptions): Room['beside'] {
  if (draft === undefined && !specTypes.some(usesDraft)) return { ...beside, draft: undefined };
  const other = otherDrafts.find(({ source }) => source === draft);
  return other === undefined ? beside : { ...beside, draft: other.shape };
}

/** Infinity, which stands for all of something, is the only number that JSON has no word for, and is null there as nothing else is. */
function keyOf(launch: LaunchOptions): string {
  return JSON.stringify(launch);
}

/** What neither the number of a graph's nodes nor the room for them depends on is left out. */
function keyWithoutPlaces(launch: LaunchOptions): string {
  return keyOf(withoutOptions(launch, 'ctxSize', 'gpuLayers', 'cpuMoeLayers', 'mmap', 'repack'));
}

function unlessRefused<T>(work: () => T, note: (refusal: LlmkubeError) => void = () => {}): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    note(error);
    return undefined;
  }
}
