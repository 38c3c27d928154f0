import type { Backend } from './backend.js';
import type { DeviceBytes } from './device.js';
import { allocateAndNote, allocateGraph } from './graph-allocator.js';
import type { Tape, TensorSizes } from './tape.js';
import type { Tensor } from './tensor.js';
import { type LaidTape, type StandInSlices, wholeTape } from './whole-tape.js';

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
  /** The graph's nodes as they were built. */
  readonly nodes: readonly Tensor[];
  readonly tape: Tape;
  readonly sizes: TensorSizes;
  readonly slices: RepeatingSlices;
}

interface RepeatingSlices extends StandInSlices {
  readonly repeats: readonly Repeats[];
}

export interface Allocation {
  readonly bytes: DeviceBytes;
  /** What was gone through. */
  readonly laid: Pick<LaidTape, 'tape' | 'bases'>;
  /** Layers that repeat those before them are not on it. */
  readonly settled: boolean;
}

/**
 * The buffers for the tape of all layers, or null as `wholeTape`. Layers that repeat those before them are left out of it: they read what
 * they or those a few before them made, so once a period leaves behind what the one or the two before it left, the others go on
 * alike. Where they are not seen to, or have inputs of their own, which are placed before all steps, every layer is gone through.
 */
export function allocateWhole(planned: Omit<PlannedTape, 'nodes'>, backends: readonly Backend[]): Allocation | null {
  const { tape, sizes, slices } = planned;
  const { repeats, begins, layers, placeOf } = slices;
  if (layers.length === placeOf.length)
    return { bytes: allocateGraph(tape, sizes, backends), laid: { tape, bases: begins.slice(0, -1) }, settled: false };
  const few = repeats.length > 0 ? wholeTape(tape, sizes, withoutRepeats(slices)) : null;
  if (few && !placeOf.some((place, layer) => isIn(repeats, layer) && few.hasOwnLeafs(place))) {
    const bytes = allocateSettling(few, sizes, repeats, backends);
    if (bytes) return { bytes, laid: few, settled: true };
  }
  const laid = wholeTape(tape, sizes, slices);
  return laid && { bytes: allocateGraph(laid.tape, sizes, backends), laid, settled: false };
}

/** The buffers for all layers where those on the tape are seen to go on alike where others are left out, or null. */
export function allocateSettling(
  { tape, bases }: Pick<LaidTape, 'tape' | 'bases'>,
  sizes: TensorSizes,
  repeats: readonly Repeats[],
  backends: readonly Backend[],
): DeviceBytes | null {
  let leftOut = 0;
  const watched = repeats.map(({ start, end, period, reach }) => {
    const cut = start - leftOut;
    leftOut += end - start;
    const back = Math.max(period, reach);
    return [cut - 2 * period, cut - period, cut].map((layer) => ({
      slot: bases[layer] as number,
      from: bases[layer - back] as number,
    }));
  });
  const { bytes, notes } = allocateAndNote(tape, sizes, backends, watched.flat());
  const isSettled = watched.every((ends) => {
    const [twoBefore, before, last] = ends.map(({ slot }) => notes.get(slot));
    return last === before || last === twoBefore;
  });
  return isSettled ? bytes : null;
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
