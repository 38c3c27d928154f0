import type { BudgetPolicy } from '../../budget/budget-policy.js';
import { LlmkubeError } from '../../errors.js';
import { estimateLaunch, type LaunchFiles } from '../../estimate/estimate-launch.js';
import { partsWithoutGraph } from '../../estimate/context/plan-context.js';
import { fixedMemory } from '../../estimate/estimate-memory.js';
import type { EstimatePart, MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { HostMemory } from '../../host/host-memory.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { usesDraft } from '../../runtime/options/draft-options.js';
import type { DraftReason } from '../beside/find-draft.js';
import { isDiscrete, judge, limitsOf } from '../judge/judge.js';
import { onMachine } from '../judge/on-machine.js';
import { headroomBytes, type CompletedVerdict } from '../judge/verdict.js';
import type { DraftVariant } from './advice.js';

/** A context is a multiple of this: `llama_context` in `src/llama-context.cpp` of llama.cpp v0.5.0 pads it. */
export const CONTEXT_STEP = 256;

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

/** Judges launches of models, each estimated once; undefined for what llama.cpp refuses to run. */
export class Trials {
  readonly #estimates = new WeakMap<ModelShape, Map<string, MemoryEstimate | undefined>>();

  constructor(readonly room: Room) {}

  judge(shape: ModelShape, launch: LaunchOptions, { host, policy }: Room = this.room): CompletedVerdict | undefined {
    const estimate = this.estimate(shape, onMachine(launch, host));
    return estimate && judge(estimate, limitsOf(estimate, launch.accelerator, host, policy));
  }

  /** The verdict when the launch fits, else undefined. */
  fitting(shape: ModelShape, launch: LaunchOptions, room: Room = this.room): CompletedVerdict | undefined {
    const verdict = this.judge(shape, launch, room);
    return verdict?.kind === 'does-not-fit' ? undefined : verdict;
  }

  /**
   * True when what no launch option takes away, the weights and the runtime's overhead, is more than the memory allows, with
   * `known` parts on top; then nothing else need be tried. Devices with memory of their own can give weights to the host.
   */
  floorExceeds(shape: ModelShape, launch: LaunchOptions, known: readonly EstimatePart[] = []): boolean {
    if (isDiscrete(launch.accelerator)) return false;
    const loads = [launch, { ...launch, repack: false }, { ...launch, mmap: false, repack: false }];
    return loads.every((load) => this.fixedHeadroom(shape, load, known) < 0);
  }

  /** What the weights and the runtime's overhead leave of the memory, `known` parts on top. */
  fixedHeadroom(shape: ModelShape, launch: LaunchOptions, known: readonly EstimatePart[] = []): number {
    const { host, policy } = this.room;
    const least = { parts: [...fixedMemory(shape, onMachine(launch, host)).parts, ...known] };
    const limits = limitsOf(least, launch.accelerator, host, policy).filter(({ name }) => name === 'memory');
    return Math.min(...limits.map(headroomBytes));
  }

  /** The least that a launch leaves free of any memory, in bytes; negative where it does not fit. */
  headroom(shape: ModelShape, launch: LaunchOptions, spareShare = 0): number {
    const verdict = this.judge(shape, launch);
    return verdict === undefined ? -Infinity : leastHeadroom(verdict.limits, spareShare);
  }

  /**
   * What the same is at the most, since compute buffers and all that is loaded beside the model are left out: cheap. Undefined
   * where a draft makes another context of it, or llama.cpp refuses it.
   */
  headroomAtMost(shape: ModelShape, launch: LaunchOptions, spareShare = 0): number | undefined {
    const { host, policy, beside } = this.room;
    if (beside?.draft !== undefined || launch.specTypes !== undefined) return undefined;
    const here = onMachine(launch, host);
    return unlessRefused(() => {
      const parts = [...fixedMemory(shape, here).parts, ...partsWithoutGraph(shape, here)];
      return leastHeadroom(limitsOf({ parts }, launch.accelerator, host, policy), spareShare);
    });
  }

  /** Of a launch of which the machine is known. */
  estimate(shape: ModelShape, launch: LaunchOptions): MemoryEstimate | undefined {
    const known = this.#knownOf(shape);
    const key = keyOf(launch);
    if (!known.has(key))
      known.set(
        key,
        unlessRefused(() => estimateLaunch({ ...besideOf(this.room, launch), model: shape }, launch)),
      );
    return known.get(key);
  }

  /** Takes the estimate of a launch on this machine from elsewhere. */
  know(shape: ModelShape, launch: LaunchOptions, estimate: MemoryEstimate): void {
    this.#knownOf(shape).set(keyOf(onMachine(launch, this.room.host)), estimate);
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

function keyOf(launch: LaunchOptions): string {
  return JSON.stringify(launch, (_key, value: unknown) => (value === Infinity ? 'all' : value));
}

function leastHeadroom(limits: CompletedVerdict['limits'], spareShare: number): number {
  return Math.min(...limits.map((limit) => headroomBytes(limit) - limit.budget.bytes * spareShare));
}

function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof LlmkubeError) return undefined;
    throw error;
  }
}

/**
 * The largest context between two bounds (tokens, multiples of 256) that fits, found by halving: it fits, and 256
 * tokens more do not, unless it is the upper bound. `spareShare` of each budget is kept free. Undefined when not even the
 * lower bound fits.
 */
export function largestContext(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  bounds: { readonly least: number; readonly most: number; readonly spareShare?: number },
): number | undefined {
  const { least, most, spareShare = 0 } = bounds;
  const at = (steps: number): LaunchOptions => ({ ...launch, ctxSize: steps * CONTEXT_STEP });
  const steps = largestNotNegative(
    (count) => trials.headroom(shape, at(count), spareShare),
    Math.ceil(least / CONTEXT_STEP),
    Math.floor(most / CONTEXT_STEP),
    (count) => trials.headroomAtMost(shape, at(count), spareShare),
  );
  return steps === undefined ? undefined : steps * CONTEXT_STEP;
}

/**
 * A whole number from `low` to `high` where `value` is not negative and one more is, or `high`; undefined when it is
 * negative at `low`. Values fall nearly in a line, so where the line through the ends crosses zero is tried first, and
 * the middle next, so that it ends soon whatever the values do. `atMost` is never below `value`, and cheaper.
 */
export function largestNotNegative(
  value: (at: number) => number,
  low: number,
  high: number,
  atMost: (at: number) => number | undefined = () => undefined,
): number | undefined {
  const ends = { low, high, atLow: high < low ? -1 : value(low), atHigh: 0 };
  if (ends.atLow < 0) return undefined;
  const most = atMost(high);
  ends.atHigh = most !== undefined && most < 0 ? most - ((atMost(low) ?? ends.atLow) - ends.atLow) : value(high);
  if (ends.atHigh >= 0) return high;
  const narrow = (at: number): void => {
    if (at <= ends.low || at >= ends.high) return;
    const found = value(at);
    if (found >= 0) [ends.low, ends.atLow] = [at, found];
    else [ends.high, ends.atHigh] = [at, found];
  };
  while (ends.high - ends.low > 1) {
    const share = ends.atLow / (ends.atLow - ends.atHigh);
    const crossing = Math.floor(ends.low + share * (ends.high - ends.low));
    narrow(crossing);
    narrow(crossing + 1);
    narrow(Math.floor((ends.low + ends.high) / 2));
  }
  return ends.low;
}
