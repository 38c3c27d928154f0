import { sameNumbers } from '../../../gguf/same-numbers.js';
import { keepLast } from '../../../kept.js';
import { type ComparedLayouts, comparedOn, comparesAlike, type Moves } from '../allocation/moves.js';
import { sizesOn } from '../allocation/graph-allocator.js';
import { saysTheSame, type Tape, type TapeSteps, withoutTensors } from '../allocation/tape.js';
import type { PlannedTape } from './settled-allocation.js';
import { isAlsoAlike, type Likeness } from './whole-tape.js';

/** What is done for all layers by the tape of some, whatever the size of their tensors. */
export interface Layout {
  /** Of the planned layers, and where each of them begins. */
  readonly planned: TapeSteps;
  readonly begins: readonly number[];
  /** Of all layers; those that repeat the ones before them may not be on it. */
  readonly whole: TapeSteps;
  /** By its slots, the planned layers' that hold the same. */
  readonly origins: Int32Array;
  readonly moves: Moves;
  /** What was compared for these, of planned layers. */
  readonly compared: readonly ComparedLayouts[];
  /** Null where all layers are planned. */
  readonly likeness: Likeness | null;
}

export function layoutOf(
  { tape, slices: { begins } }: Pick<PlannedTape, 'tape' | 'slices'>,
  whole: Tape,
  moves: Moves,
  likeness: Likeness | null,
): Layout {
  const origins = sizesOn(whole);
  return {
    planned: withoutTensors(tape),
    begins,
    whole: withoutTensors(whole),
    origins,
    moves,
    compared: comparedOn(origins, moves),
    likeness,
  };
}

const MOST_KNOWN = 8;

/**
 * Layouts of some planned layers: the graphs for one token and for a prompt mostly say the same, and so do contexts of any length. All that
 * a layout depends on beside what the tape says is compared again.
 */
export class Layouts {
  private readonly known: Layout[] = [];

  find({ tape, sizes, slices: { begins } }: Pick<PlannedTape, 'tape' | 'sizes' | 'slices'>): Layout | undefined {
    return this.known.find(
      ({ planned, begins: known, compared, likeness }) =>
        sameNumbers(known, begins) &&
        saysTheSame(planned, tape) &&
        comparesAlike(compared, tape.tensors) &&
        (!likeness || isAlsoAlike(likeness, tape.tensors, sizes)),
    );
  }

  keep(layout: Layout): void {
    keepLast(this.known, layout, MOST_KNOWN);
  }
}
