import type { StandInSlices } from './whole-tape.js';
import { NONE, type Tape } from './tape.js';

/** The tape of all layers, and the slot where each begins. */
interface WholeTape {
  readonly tape: Tape;
  readonly bases: readonly number[];
}

/**
 * Of each slot of a tape of all layers, the slot of one of fewer that it repeats: in a layer by their order, before the layers
 * by what reads them. Null where the two do not go together.
 */
export function originsOn(few: Tape, { begins, layers, placeOf }: StandInSlices, whole: WholeTape): Int32Array | null {
  const { tape, bases } = whole;
  const slots = tape.tensors.length;
  const origins = new Int32Array(slots).fill(NONE);
  for (let layer = 0; layer < placeOf.length; layer++) {
    const place = placeOf[layer] as number;
    const base = bases[layer] as number;
    const count = (bases[layer + 1] ?? slots) - base;
    const start = begins[place] as number;
    const all = (begins[place + 1] as number) - start;
    const steps = count === all || layers[place] === layer ? null : stepsOfLayers(few, start, start + all);
    if (count !== (steps?.length ?? all)) return null;
    for (let i = 0; i < count; i++) origins[base + i] = steps ? (steps[i] as number) : start + i;
  }
  return addRead(few, tape, bases[0] as number, origins) ? origins : null;
}

/** Steps that read more than inputs: others stand where the first layer needs them, and belong to none. */
function stepsOfLayers({ leafs, starts, sources }: Tape, start: number, end: number): number[] {
  const shared = new Set<number>();
  const steps: number[] = [];
  for (let slot = start; slot < end; slot++) {
    const read = sources.subarray(starts[slot], starts[slot + 1]);
    if (read.length > 0 && read.every((source) => source < leafs || source === slot || shared.has(source)))
      shared.add(slot);
    else steps.push(slot);
  }
  return steps;
}

/** What is before all layers is what their steps read; what none reads lies beside it. */
function addRead(few: Tape, whole: Tape, first: number, origins: Int32Array): boolean {
  for (let slot = origins.length - 1; slot >= whole.leafs; slot--) {
    const origin = origins[slot] as number;
    if (origin === NONE && slot < first) origins[slot] = (origins[slot + 1] as number) - 1;
    const from = few.starts[origins[slot] as number] as number;
    const start = whole.starts[slot] as number;
    const count = (whole.starts[slot + 1] as number) - start;
    if ((few.starts[(origins[slot] as number) + 1] as number) - from !== count) return false;
    for (let i = 0; i < count; i++) {
      const source = whole.sources[start + i] as number;
      if (source < first && source < slot) origins[source] = few.sources[from + i] as number;
    }
  }
  for (let leaf = 0; leaf < whole.leafs; leaf++)
    if (origins[leaf] === NONE) origins[leaf] = (origins[leaf - 1] ?? NONE) + 1;
  return true;
}
