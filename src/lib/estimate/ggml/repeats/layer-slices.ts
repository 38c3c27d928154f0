import { NONE, READS_MEMORY, type TapeSteps } from '../allocation/tape.js';

/** Planned layers on a tape. */
export interface PlannedSlices {
  /** The slot where each one's steps begin, and behind the last the end. */
  readonly begins: readonly number[];
  /** Of each, a number that those with the same neighbours share. */
  readonly groupOf: readonly number[];
  /** How many neighbours on each side are the same. */
  readonly reach: number;
}

const NO_LAYER = -1;
const UNREAD = -2;

/** How a layer's step finds what it reads. */
export type Way =
  /** There is only one of it. */
  | 'fixed'
  /** It is the layer's own. */
  | 'own'
  /** It is a neighbour's, whose steps are counted from the end that is nearer. */
  | 'neighbour'
  | 'unknown';

/**
 * A tape cut where the steps of each planned layer begin. A step that works on nothing but inputs and is read by several layers,
 * such as a converted mask, stands where the first of them needs it, and belongs to none.
 */
export class LayerSlices {
  /** Of each slot, the place of its layer, negative for none's. A leaf is a layer's own if only its neighbours read it, too. */
  readonly placeOf: Int32Array;
  /** Of each slot of a layer, how many of the layer's steps, or leafs, are before it. */
  readonly rankOf: Int32Array;
  /** Steps and leafs of each layer, by rank. */
  readonly steps: readonly number[][];
  readonly leafs: readonly number[][];
  /** Of each leaf, the place of the first layer that reads it, negative for those read before all layers. */
  readonly firstReaders: Int32Array;
  private readonly several: Uint8Array;
  private readonly alone: readonly boolean[];

  constructor(
    readonly tape: TapeSteps,
    readonly planned: PlannedSlices,
  ) {
    const { begins, groupOf } = planned;
    const slots = tape.traits.length;
    this.placeOf = new Int32Array(slots).fill(NO_LAYER);
    this.rankOf = new Int32Array(slots);
    this.steps = groupOf.map(() => []);
    this.leafs = groupOf.map(() => []);
    this.firstReaders = new Int32Array(slots).fill(UNREAD);
    this.several = new Uint8Array(slots);
    this.alone = groupOf.map((group) => groupOf.indexOf(group) === groupOf.lastIndexOf(group));
    this.findReaders();
    groupOf.forEach((_, place) => {
      for (let slot = begins[place] as number; slot < (begins[place + 1] as number); slot++)
        if (this.several[slot] && this.worksOnInputs(slot)) this.shareLeafsOf(slot);
        else this.put(slot, place, this.steps);
    });
    for (let leaf = 0; leaf < tape.leafs; leaf++) {
      const reader = this.firstReaders[leaf] as number;
      if (reader >= 0 && !this.several[leaf]) this.put(leaf, reader, this.leafs);
    }
  }

  private put(slot: number, place: number, among: readonly number[][]): void {
    this.placeOf[slot] = place;
    this.rankOf[slot] = (among[place] as number[]).push(slot) - 1;
  }

  /** The first layer that reads each slot, and whether others do; a leaf may also be read by a neighbour of its layer. */
  private findReaders(): void {
    const { leafs, traits, roots, starts, sources } = this.tape;
    const { begins } = this.planned;
    let place = NO_LAYER;
    for (let slot = leafs; slot < traits.length; slot++) {
      while (slot >= (begins[place + 1] as number)) place++;
      if (roots[slot] !== NONE) this.noteReader(roots[slot] as number, place);
      for (let i = starts[slot] as number; i < (starts[slot + 1] as number); i++)
        if (sources[i] !== slot) this.noteReader(sources[i] as number, place);
    }
    // Places that are kept for further batches lie behind the one that is read.
    for (let leaf = 1; leaf < leafs; leaf++) {
      if (this.firstReaders[leaf] !== UNREAD) continue;
      this.firstReaders[leaf] = this.firstReaders[leaf - 1] as number;
      this.several[leaf] = this.several[leaf - 1] as number;
    }
  }

  private noteReader(slot: number, place: number): void {
    const first = this.firstReaders[slot] as number;
    if (first === UNREAD) this.firstReaders[slot] = place;
    else if (place - first > (slot < this.tape.leafs && first >= 0 ? this.planned.reach : 0)) this.several[slot] = 1;
  }

  private worksOnInputs(slot: number): boolean {
    const { traits, starts, sources } = this.tape;
    if ((traits[slot] as number) & READS_MEMORY) return false;
    for (let i = starts[slot] as number; i < (starts[slot + 1] as number); i++) {
      const source = sources[i] as number;
      if (source !== slot && source >= this.tape.leafs && this.placeOf[source] !== NO_LAYER) return false;
    }
    return true;
  }

  private shareLeafsOf(slot: number): void {
    const { starts, sources } = this.tape;
    for (let i = starts[slot] as number; i < (starts[slot + 1] as number); i++) this.several[sources[i] as number] = 1;
  }

  /** How a step of the layer at `place` finds a slot. */
  wayTo(slot: number, place: number): Way {
    const target = this.placeOf[slot] as number;
    if (target === NO_LAYER) return 'fixed';
    if (target === place) return 'own';
    if (Math.abs(place - target) <= this.planned.reach) return 'neighbour';
    return this.alone[target] ? 'fixed' : 'unknown';
  }

  /** A layer that has no like among the planned ones. */
  isAlone(place: number): boolean {
    return this.alone[place] as boolean;
  }

  /** How many of its layer's steps are between a slot and the layer at `place`. */
  stepsBetween(slot: number, place: number): number {
    const target = this.placeOf[slot] as number;
    const rank = this.rankOf[slot] as number;
    return target > place ? rank : (this.steps[target] as number[]).length - 1 - rank;
  }
}
