import { keepLast } from '../../../kept.js';
import { sameNumbers } from '../../../gguf/same-numbers.js';
import type { Backend } from '../backend.js';
import type { DeviceBytes } from '../device.js';
import { type ComparedLayouts, comparedOn, comparesAlike, type Moves } from '../allocation/moves.js';
import type { Layout } from './layouts.js';
import { originsOn } from './origins.js';
import { type Allocation, allocateSettling, type PlannedTape } from './settled-allocation.js';
import type { Graph } from '../graph.js';
import { describe, type SchedulerOptions } from '../description.js';
import { optimizesAlike, reschedule, type Schedule } from './schedule.js';
import { IS_VIEW, saysTheSame, type TapeSteps, TensorSizes, withoutTensors } from '../allocation/tape.js';
import { sameLayout, type Tensor } from '../tensor.js';

/** What tapes say, whatever the size of their tensors. */
interface KnownTape {
  /** For all layers. */
  readonly moves: Moves;
  /** Of few layers, and where each of them begins. */
  readonly few: TapeSteps;
  readonly begins: readonly number[];
  readonly bySlot: Origins;
  /** How the few layers' graph became their tape, null where others are not found by that. */
  readonly schedule: Schedule | null;
  /** By the numbers that `schedule` has. */
  readonly byNumber: Origins;
}

/** What stands for what the tape of all layers holds, of few layers' tensors. */
interface Origins {
  readonly ofSlots: Int32Array;
  /** What was compared for it. */
  readonly compared: readonly ComparedLayouts[];
}

/** A graph's tape, known before it was planned. */
export interface FoundTape {
  /** Unset: backends would optimize the graph otherwise, or its results do not compare alike. */
  readonly known: KnownTape | undefined;
  /** By number. */
  readonly tensors: readonly Tensor[];
}

/** Null where no tape is known. */
export function allocateFound({ known, tensors }: FoundTape, backends: readonly Backend[]): DeviceBytes | null {
  if (!known) return null;
  const { moves, byNumber } = known;
  return allocateSettling(moves, byNumber.ofSlots, new TensorSizes(backends, tensors), backends);
}

const MOST_KNOWN = 8;

/**
 * Tapes of the fewest layers of a model, each kind there once, with the tape of all layers that a launch was found to have from
 * planning more of them, and comparing those. A launch whose few layers say the same, with other sizes, has the same whole.
 */
export class KnownTapes {
  private readonly known: KnownTape[] = [];
  /** The backends of nodes of few layers, where all layers decided as those. */
  private readonly trials: Int8Array[] = [];
  /** How often the layers that were chosen turned out not to stand for all. */
  failures = 0;

  get isEmpty(): boolean {
    return this.known.length === 0;
  }

  /** Whether all layers, too, were found not to run as they should where few layers' nodes run so. */
  hasTrial(backends: Int8Array): boolean {
    return this.trials.some((known) => sameNumbers(known, backends));
  }

  learnTrial(backends: Int8Array): void {
    keepLast(this.trials, backends, MOST_KNOWN);
  }

  /** Null where what is asked is not known. */
  allocate({ tape, sized, sizes, slices: { begins } }: PlannedTape, backends: readonly Backend[]): DeviceBytes | null {
    const found = this.known.find(
      ({ few, bySlot, begins: known }) =>
        sameNumbers(known, begins) && saysTheSame(few, tape) && comparesAlike(bySlot.compared, sized),
    );
    return found ? allocateSettling(found.moves, found.bySlot.ofSlots, sizes, backends) : null;
  }

  /** For a graph of which another one said the same: its nodes get backends. Null where none did. */
  find(graph: Graph, scheduler: SchedulerOptions): FoundTape | null {
    if (this.isEmpty) return null;
    const said = describe(graph, scheduler);
    const known = this.known.filter(({ schedule }) => schedule && sameNumbers(schedule.said, said));
    const [first] = known;
    if (!first?.schedule) return null;
    const tensors = reschedule(graph, first.schedule);
    for (const tape of known) {
      if (!tape.schedule || !optimizesAlike(graph, tape.schedule, scheduler.backends)) continue;
      if (comparesAlike(tape.byNumber.compared, tensors)) return { known: tape, tensors };
    }
    return { known: undefined, tensors: [] };
  }

  /** `allocation` is what was made of a tape of more layers; false where the few do not stand for them. */
  learn(few: PlannedTape, more: PlannedTape, { layout }: Allocation): boolean {
    const origins = originsOn(few, more, layout);
    if (!origins || !areAsLarge(few, origins, more, layout)) {
      this.failures++;
      return false;
    }
    const { schedule, slices } = few;
    const { moves } = layout;
    const bySlot = { ofSlots: origins, compared: comparedOn(origins, moves) };
    const learned = {
      moves: { ...moves, compared: [] },
      few: withoutTensors(few.tape),
      begins: slices.begins,
      bySlot,
      schedule,
      byNumber: schedule ? numbered(bySlot, schedule) : bySlot,
    };
    keepLast(this.known, learned, MOST_KNOWN);
    return true;
  }
}

function numbered({ ofSlots, compared }: Origins, { tensorOf }: Schedule): Origins {
  const numberOf = (slot: number): number => tensorOf[slot] as number;
  return {
    ofSlots: ofSlots.map(numberOf),
    compared: compared.map(({ slot, parent, same }) => ({ slot: numberOf(slot), parent: numberOf(parent), same })),
  };
}

/** Whether each slot of a whole tape holds what the one that it repeats holds. */
function areAsLarge(
  { tape, sized, sizes }: PlannedTape,
  origins: Int32Array,
  more: PlannedTape,
  { whole, origins: originsInMore }: Layout,
): boolean {
  return originsInMore.every((slotInMore, slot) => {
    if ((whole.traits[slot] as number) & IS_VIEW) return true;
    const tensor = more.tape.tensors[slotInMore] as Tensor;
    const origin = origins[slot] as number;
    const own = sized[origin];
    const backend = whole.backends[slot] as number;
    if (own?.op !== tensor.op) return false;
    const isSample = origin >= tape.tensors.length;
    if (!isSample && (tape.backends[origin] !== backend || tape.traits[origin] !== whole.traits[slot])) return false;
    return sameLayout(own, tensor) && sizes.on(own, backend) === more.sizes.on(tensor, backend);
  });
}
