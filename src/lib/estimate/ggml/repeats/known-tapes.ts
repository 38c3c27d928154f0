import type { Backend } from '../backend.js';
import type { DeviceBytes } from '../device.js';
import type { ComparedLayouts, Moves } from '../allocation/moves.js';
import { originsOn } from './origins.js';
import { type Allocation, allocateSettling, type PlannedTape } from './settled-allocation.js';
import type { Graph } from '../graph.js';
import {
  describe,
  isSame,
  optimizesAlike,
  reschedule,
  type Schedule,
  type SchedulerOptions,
  tensorsBySlot,
} from './schedule.js';
import { IS_VIEW, type Tape, TensorSizes } from '../allocation/tape.js';
import { sameLayout, type Tensor } from '../tensor.js';

/** What tapes say, whatever the size of their tensors. */
interface KnownTape {
  /** Of few layers, and how their graph became it. */
  readonly few: Tape;
  readonly schedule: Schedule | null;
  readonly begins: readonly number[];
  /** For all layers, and of each of their slots the one on the tape of few that it repeats. */
  readonly moves: Moves;
  readonly origins: Int32Array;
  /** What was compared for them, on the tape of few. */
  readonly compared: readonly ComparedLayouts[];
}

/** A graph's tape, known before it was planned. */
export interface FoundTape {
  /** Unset: backends would optimize the graph otherwise, or its results do not compare alike. */
  readonly known: KnownTape | undefined;
  /** By slot of few layers' tape. */
  readonly tensors: readonly Tensor[];
}

/** Null where no tape is known. */
export function allocateFound({ known, tensors }: FoundTape, backends: readonly Backend[]): DeviceBytes | null {
  if (!known) return null;
  const { moves, origins } = known;
  return allocateSettling(moves, origins, new TensorSizes(backends, tensors), backends);
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
    return this.trials.some((known) => isSame(known, backends));
  }

  learnTrial(backends: Int8Array): void {
    if (this.trials.length === MOST_KNOWN) this.trials.shift();
    this.trials.push(backends);
  }

  /** Null where what is asked is not known. */
  allocate({ tape, sizes, slices: { begins } }: PlannedTape, backends: readonly Backend[]): DeviceBytes | null {
    const { tensors } = tape;
    const found = this.known.find(
      ({ few, compared, begins: known }) =>
        isSame(known, begins) && saysTheSame(few, tape) && comparesAlike(compared, tensors),
    );
    return found ? allocateSettling(found.moves, found.origins, sizes, backends) : null;
  }

  /** For a graph of which another one said the same: its nodes get backends. Null where none did. */
  find(graph: Graph, scheduler: SchedulerOptions): FoundTape | null {
    if (this.isEmpty) return null;
    const said = describe(graph, scheduler);
    const known = this.known.filter(({ schedule }) => schedule && isSame(schedule.said, said));
    const [first] = known;
    if (!first?.schedule) return null;
    const all = reschedule(graph, first.schedule);
    for (const tape of known) {
      if (!tape.schedule || !optimizesAlike(graph, tape.schedule, scheduler.backends)) continue;
      const tensors = tensorsBySlot(all, tape.schedule);
      if (comparesAlike(tape.compared, tensors)) return { known: tape, tensors };
    }
    return { known: undefined, tensors: [] };
  }

  /** `allocation` is what was made of a tape of more layers; false where the few do not stand for them. */
  learn(few: PlannedTape, more: PlannedTape, { tape, moves }: Allocation): boolean {
    const origins = originsOn(few, more, tape);
    if (!origins || !areAsLarge(few, origins, tape, more.sizes)) {
      this.failures++;
      return false;
    }
    if (this.known.length === MOST_KNOWN) this.known.shift();
    const compared = comparedOn(origins, moves);
    const { begins } = few.slices;
    this.known.push({
      few: withoutTensors(few.tape),
      schedule: few.schedule,
      begins,
      moves: { ...moves, compared: [] },
      origins,
      compared,
    });
    return true;
  }
}

/** What was compared on a tape of all layers, once each, on the tape that those repeat. */
function comparedOn(origins: Int32Array, { compared }: Moves): readonly ComparedLayouts[] {
  const found = new Map<string, ComparedLayouts>();
  for (const { slot, parent, same } of compared) {
    const [own, other] = [origins[slot] as number, origins[parent] as number];
    found.set(`${own} ${other}`, { slot: own, parent: other, same });
  }
  return [...found.values()];
}

function comparesAlike(compared: readonly ComparedLayouts[], tensors: readonly Tensor[]): boolean {
  return compared.every(
    ({ slot, parent, same }) => sameLayout(tensors[slot] as Tensor, tensors[parent] as Tensor) === same,
  );
}

function withoutTensors(tape: Tape): Tape {
  return { ...tape, tensors: [] };
}

function saysTheSame(a: Tape, b: Tape): boolean {
  return (
    a.leafs === b.leafs &&
    isSame(a.starts, b.starts) &&
    isSame(a.sources, b.sources) &&
    isSame(a.roots, b.roots) &&
    isSame(a.backends, b.backends) &&
    isSame(a.traits, b.traits)
  );
}

/** Whether each slot of a whole tape holds what the one that it repeats holds. */
function areAsLarge(
  { tape, sizes }: PlannedTape,
  origins: Int32Array,
  whole: Tape,
  sizesOfWhole: TensorSizes,
): boolean {
  return whole.tensors.every((tensor, slot) => {
    if ((whole.traits[slot] as number) & IS_VIEW) return true;
    const origin = origins[slot] as number;
    const own = tape.tensors[origin];
    const backend = whole.backends[slot] as number;
    if (own?.op !== tensor.op || tape.backends[origin] !== backend || tape.traits[origin] !== whole.traits[slot])
      return false;
    return sameLayout(own, tensor) && sizes.on(own, backend) === sizesOfWhole.on(tensor, backend);
  });
}
