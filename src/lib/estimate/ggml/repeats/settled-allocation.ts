import type { Backend } from '../backend.js';
import type { DeviceBytes } from '../device.js';
import { allocateMoves } from '../allocation/graph-allocator.js';
import type { Graph } from '../graph.js';
import { type Moves, movesOf, type Watch } from '../allocation/moves.js';
import { layoutOf, type Layout, type Layouts } from './layouts.js';
import type { Schedule } from './schedule.js';
import type { Tape, TensorSizes } from '../allocation/tape.js';
import type { Tensor } from '../tensor.js';
import { type LaidTape, type Likeness, type StandInSlices, wholeTape } from './whole-tape.js';

/** Layers in a row that repeat those before them, of the model's. */
export interface Repeats {
  /** The first and, behind the last, the end of them: a number of whole periods, which is even. */
  readonly start: number;
  readonly end: number;
  /** After how many layers they begin anew, and how many layers back one of them may look. */
  readonly period: number;
  readonly reach: number;
}

/** The tape of planned layers, and how the others follow from them, if there are others. */
export interface PlannedTape {
  readonly graph: Graph;
  /** How the graph was scheduled, for others that say the same; null where that was not asked for. */
  readonly schedule: Schedule | null;
  readonly tape: Tape;
  /** The tape's, and behind them samples. */
  readonly sized: readonly Tensor[];
  readonly sizes: TensorSizes;
  readonly slices: RepeatingSlices;
}

interface RepeatingSlices extends StandInSlices {
  readonly repeats: readonly Repeats[];
}

export interface Allocation {
  readonly bytes: DeviceBytes;
  readonly layout: Layout;
}

/**
 * The buffers for the tape of all layers, or null as `wholeTape`. Layers that repeat those before them are left out of it: they read what
 * they or those a few before them made, so once a period leaves behind what the one or the two before it left, the others go
 * on alike. Where they are not seen to, or have inputs of their own, which are placed before all steps, every layer is gone through.
 * What was worked out for another tape of these layers that says the same is not worked out again.
 */
export function allocateWhole(
  planned: Pick<PlannedTape, 'tape' | 'sizes' | 'slices'>,
  backends: readonly Backend[],
  layouts: Layouts,
): Allocation | null {
  const { tape, sizes, slices } = planned;
  const { repeats, layers, placeOf } = slices;
  const by = (layout: Layout): Allocation | null => {
    const bytes = allocateSettling(layout.moves, layout.origins, sizes, backends);
    return bytes && { bytes, layout };
  };
  const allocated = (whole: Tape, likeness: Likeness | null, watched?: readonly Watch[]): Allocation | null => {
    const layout = layoutOf(planned, whole, movesOf(whole, watched), likeness);
    const allocation = by(layout);
    if (allocation) layouts.keep(layout);
    return allocation;
  };
  const before = layouts.find(planned);
  const again = before ? by(before) : null;
  if (again) return again;
  if (layers.length === placeOf.length) return allocated(tape, null);
  const few = repeats.length > 0 ? wholeTape(tape, sizes, withoutRepeats(slices)) : null;
  if (few && !placeOf.some((place, layer) => isIn(repeats, layer) && hasOwnLeafs(few, place))) {
    const allocation = allocated(few.tape, few.likeness, watchedOn(few, repeats));
    if (allocation) return allocation;
  }
  const laid = wholeTape(tape, sizes, slices);
  return laid && allocated(laid.tape, laid.likeness);
}

/** Whether the planned layer at a place has leafs for itself. */
function hasOwnLeafs({ likeness: { slices } }: LaidTape, place: number): boolean {
  return (slices.leafs[place] as number[]).length > 0;
}

/** Marks for each stretch that is left out: two periods before it, one, and where it was. */
function watchedOn({ bases }: LaidTape, repeats: readonly Repeats[]): readonly Watch[] {
  let leftOut = 0;
  return repeats.flatMap(({ start, end, period, reach }) => {
    const cut = start - leftOut;
    leftOut += end - start;
    const back = Math.max(period, reach);
    return [cut - 2 * period, cut - period, cut].map((layer) => ({
      slot: bases[layer] as number,
      from: bases[layer - back] as number,
    }));
  });
}

const MARKS_OF_STRETCH = 3;

/** The buffers for all layers where the moves are seen to go on alike where layers were left out, or null. */
export function allocateSettling(
  moves: Moves,
  sized: Int32Array,
  sizes: TensorSizes,
  backends: readonly Backend[],
): DeviceBytes | null {
  const { bytes, notes } = allocateMoves(moves, sized, sizes, backends);
  for (let i = 0; i < notes.length; i += MARKS_OF_STRETCH) {
    const [twoBefore, before, last] = notes.slice(i, i + MARKS_OF_STRETCH);
    if (last !== before && last !== twoBefore) return null;
  }
  return bytes;
}

/** The model without the layers that repeat others. */
function withoutRepeats({ layers, placeOf, repeats, ...others }: RepeatingSlices): StandInSlices {
  const before = (layer: number): number =>
    repeats.reduce((sum, { start, end }) => sum + (layer >= end ? end - start : 0), 0);
  return {
    ...others,
    layers: layers.map((layer) => layer - before(layer)),
    placeOf: placeOf.filter((_, layer) => !isIn(repeats, layer)),
  };
}

function isIn(repeats: readonly Repeats[], layer: number): boolean {
  return repeats.some(({ start, end }) => layer >= start && layer < end);
}
