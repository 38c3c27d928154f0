import { Alikeness } from './alike.js';
import { LayerSlices, type PlannedSlices } from './layer-slices.js';
import {
  IS_COPY,
  IS_VIEW,
  NONE,
  type Tape,
  type TapeSteps,
  type TensorSizes,
  withoutTensors,
} from '../allocation/tape.js';
import type { Tensor } from '../tensor.js';

/** Planned layers on a tape, and which of them each layer of the model repeats. */
export interface StandInSlices extends PlannedSlices {
  /** The model's layers that are planned, in order. */
  readonly layers: readonly number[];
  /** For each of the model's layers, the place in `layers` of the one that it repeats or is. */
  readonly placeOf: readonly number[];
}

export interface LaidTape {
  readonly tape: Tape;
  /** The slot where each layer begins. */
  readonly bases: readonly number[];
  readonly likeness: Likeness;
}

type Pair = readonly [number, number];

/** What of a tape was found to be alike for the whole to follow from it. */
export interface Likeness {
  readonly slices: LayerSlices;
  /** Planned layers, by place. */
  readonly layers: readonly Pair[];
  readonly slots: readonly Pair[];
}

/**
 * The tape of all layers, from that of fewer: each layer says what the planned one in its place says, of its own results and of its
 * neighbours'. That is right where a layer's steps depend on its neighbours only, which is not taken for granted: of each
 * group that is repeated, the last two planned layers, among which what is further away differs, have to be alike. Null where they
 * are not.
 */
export function wholeTape(
  tape: Tape,
  sizes: TensorSizes,
  { begins, groupOf, reach, layers, placeOf }: StandInSlices,
): LaidTape | null {
  // V8 compiles what reads them for objects that were made here.
  const planned = { begins, groupOf, reach, layers, placeOf };
  if (begins.some((begin, place) => begin >= (begins[place + 1] ?? Infinity))) return null;
  const { tensors } = tape;
  const slices = new LayerSlices(withoutTensors(tape), planned);
  if (movesCopies(slices, planned)) return null;
  const alike = new Alikeness(slices, tensors, sizes);
  const repeated = new Set(placeOf.filter((place, layer) => layers[place] !== layer));
  const pairs: Pair[] = [];
  for (const place of repeated) {
    const before = place === 0 ? -1 : groupOf.lastIndexOf(groupOf[place] as number, place - 1);
    if (before < 0 || !alike.ofLayers(before, place)) return null;
    pairs.push([before, place]);
  }
  const whole = new WholeTape(slices, tensors, alike, planned);
  const written = whole.write();
  return written && { ...written, likeness: { slices, layers: pairs, slots: whole.pairs } };
}

/** Whether the same is alike on another tape of the same layers, which says the same of other tensors: then the same whole follows from it. */
export function isAlsoAlike(
  { slices, layers, slots }: Likeness,
  tensors: readonly Tensor[],
  sizes: TensorSizes,
): boolean {
  const alike = new Alikeness(slices, tensors, sizes);
  return layers.every(([a, b]) => alike.ofLayers(a, b)) && slots.every(([a, b]) => alike.ofTensors(a, b));
}

/**
 * Whether layers that were left out would move a copy that is made for a layer further on: it stands where the run of nodes on that layer's
 * device begins, which they must not interrupt.
 */
function movesCopies(slices: LayerSlices, { begins, layers, placeOf, reach }: StandInSlices): boolean {
  const { tape, firstReaders } = slices;
  let place = -1;
  for (let slot = tape.leafs; slot < tape.traits.length; slot++) {
    while (slot >= (begins[place + 1] as number)) place++;
    const reader = firstReaders[slot] as number;
    if (reader - place <= reach || !((tape.traits[slot] as number) & IS_COPY)) continue;
    const standIns = new Set(placeOf.slice((layers[place] ?? -1) + 1, layers[reader]));
    for (const standIn of standIns) {
      const isPlannedBetween = standIn > place && standIn < reader;
      if (!isPlannedBetween && interrupts(tape, begins, standIn, tape.backends[slot] as number)) return true;
    }
  }
  return false;
}

/** Whether a layer does something on another device, or has something brought to this one. */
function interrupts(
  { backends, traits }: TapeSteps,
  begins: readonly number[],
  place: number,
  backend: number,
): boolean {
  for (let slot = begins[place] as number; slot < (begins[place + 1] as number); slot++) {
    const has = traits[slot] as number;
    if (has & IS_COPY || (backends[slot] !== backend && !(has & IS_VIEW))) return true;
  }
  return false;
}

class WholeTape {
  private readonly tensors: Tensor[] = [];
  private readonly backends: Int32Array;
  private readonly traits: Uint8Array;
  private readonly roots: Int32Array;
  private readonly starts: Int32Array;
  private readonly sources: Int32Array;
  private sourceCount = 0;
  /** Where each of the model's layers begins. */
  private readonly bases: number[] = [];
  /** The whole tape's slots of leafs and of steps that belong to no layer. */
  private readonly fixed: Int32Array;
  /** Those of leafs that each layer has for itself, by rank. */
  private readonly ownLeafs: number[][];
  private failed = false;
  /** Slots of planned layers that were found to be alike. */
  readonly pairs: Pair[] = [];

  constructor(
    private readonly slices: LayerSlices,
    private readonly plannedTensors: readonly Tensor[],
    private readonly alike: Alikeness,
    private readonly planned: StandInSlices,
  ) {
    this.fixed = new Int32Array(slices.tape.traits.length).fill(NONE);
    this.ownLeafs = planned.placeOf.map(() => []);
    const { slots, sources } = this.atMost();
    this.backends = new Int32Array(slots);
    this.traits = new Uint8Array(slots);
    this.roots = new Int32Array(slots).fill(NONE);
    this.starts = new Int32Array(slots + 1);
    this.sources = new Int32Array(sources);
  }

  /** Room for the whole tape. */
  private atMost(): { readonly slots: number; readonly sources: number } {
    const { tape, leafs } = this.slices;
    const { begins, placeOf } = this.planned;
    let slots = begins[0] as number;
    let sources = tape.starts[slots] as number;
    for (const place of placeOf) {
      const [start, end] = [begins[place], begins[place + 1]] as [number, number];
      slots += end - start + (leafs[place] as number[]).length;
      sources += (tape.starts[end] as number) - (tape.starts[start] as number);
    }
    return { slots, sources };
  }

  write(): Pick<LaidTape, 'tape' | 'bases'> | null {
    this.writeLeafs();
    const leafs = this.tensors.length;
    this.findBases(leafs);
    const { slices } = this;
    const { begins, placeOf } = this.planned;
    for (let slot = slices.tape.leafs; slot < (begins[0] as number); slot++) this.writeStep(slot, -1, -1);
    placeOf.forEach((place, layer) => {
      if (this.isPlanned(layer))
        for (let slot = begins[place] as number; slot < (begins[place + 1] as number); slot++)
          this.writeStep(slot, place, layer);
      else for (const slot of slices.steps[place] as number[]) this.writeStep(slot, place, layer);
    });
    if (this.failed) return null;
    const { tensors } = this;
    const slots = tensors.length;
    this.starts[slots] = this.sourceCount;
    const tape = {
      leafs,
      tensors,
      backends: this.backends.subarray(0, slots),
      traits: this.traits.subarray(0, slots),
      roots: this.roots.subarray(0, slots),
      starts: this.starts.subarray(0, slots + 1),
      sources: this.sources.subarray(0, this.sourceCount),
    };
    return { tape, bases: this.bases };
  }

  private isPlanned(layer: number): boolean {
    return this.planned.layers[this.planned.placeOf[layer] as number] === layer;
  }

  /** Where all steps will be, since some read what comes after them: views of inputs that are copied to a device. */
  private findBases(leafs: number): void {
    const { tape, steps, placeOf } = this.slices;
    const { begins } = this.planned;
    let base = leafs - tape.leafs;
    const moveFixed = (start: number, end: number): void => {
      for (let slot = start; slot < end; slot++) if ((placeOf[slot] as number) < 0) this.fixed[slot] = slot + base;
    };
    moveFixed(tape.leafs, begins[0] as number);
    base += begins[0] as number;
    this.planned.placeOf.forEach((place, layer) => {
      this.bases.push(base);
      const [start, end] = [begins[place], begins[place + 1]] as [number, number];
      if (!this.isPlanned(layer)) {
        base += (steps[place] as number[]).length;
        return;
      }
      base -= start;
      moveFixed(start, end);
      base += end;
    });
  }

  /** In the order of the layers that first read them, as often as that order begins anew. */
  private writeLeafs(): void {
    const { tape, firstReaders } = this.slices;
    let end = 0;
    for (let start = 0; start < tape.leafs; start = end) {
      end = start + 1;
      while (end < tape.leafs && (firstReaders[end] as number) >= (firstReaders[end - 1] as number)) end++;
      let leaf = start;
      for (; leaf < end && (firstReaders[leaf] as number) < 0; leaf++) this.writeLeaf(leaf, -1);
      if (leaf < end) this.planned.placeOf.forEach((place, layer) => this.writeLeafsOf(layer, place, leaf, end));
    }
  }

  private writeLeafsOf(layer: number, place: number, start: number, end: number): void {
    const { firstReaders, placeOf } = this.slices;
    for (let leaf = start; leaf < end; leaf++)
      if (firstReaders[leaf] === place && (this.isPlanned(layer) || placeOf[leaf] === place))
        this.writeLeaf(leaf, layer);
  }

  private writeLeaf(leaf: number, layer: number): void {
    const slot = this.add(leaf);
    this.fixed[leaf] = slot;
    if ((this.slices.placeOf[leaf] as number) >= 0)
      (this.ownLeafs[layer] as number[])[this.slices.rankOf[leaf] as number] = slot;
  }

  /** A slot's tensor without what it reads. */
  private add(slot: number): number {
    const { backends, traits } = this.slices.tape;
    const added = this.tensors.push(this.plannedTensors[slot] as Tensor) - 1;
    this.backends[added] = backends[slot] as number;
    this.traits[added] = traits[slot] as number;
    this.starts[added] = this.sourceCount;
    return added;
  }

  private writeStep(step: number, place: number, layer: number): void {
    const { tape } = this.slices;
    const slot = this.add(step);
    this.roots[slot] = this.moved(tape.roots[step] as number, place, layer);
    const end = tape.starts[step + 1] as number;
    for (let i = tape.starts[step] as number; i < end; i++)
      this.sources[this.sourceCount++] = this.moved(tape.sources[i] as number, place, layer);
  }

  /** Where a layer finds in the whole tape what the planned one in its place reads. */
  private moved(slot: number, place: number, layer: number): number {
    const { slices } = this;
    if (slot === NONE) return NONE;
    const target = slices.placeOf[slot] as number;
    if (target < 0) return this.fixed[slot] as number;
    const rank = slices.rankOf[slot] as number;
    const way = slices.wayTo(slot, place);
    if (slot < slices.tape.leafs)
      return way === 'fixed' ? (this.fixed[slot] as number) : this.leafOf(layer - (place - target), slot);
    if (way === 'own') return this.stepOf(layer, rank);
    if (way === 'fixed') return this.stepOf(this.planned.layers[target] as number, rank);
    const found = layer - (place - target);
    const steps = slices.steps[this.planned.placeOf[found] as number];
    const foundRank = target > place ? rank : (steps?.length ?? 0) - 1 - slices.stepsBetween(slot, place);
    const same = steps?.[foundRank];
    if (way === 'neighbour' && same !== undefined && this.isAlike(slot, same)) return this.stepOf(found, foundRank);
    this.failed = true;
    return NONE;
  }

  private isAlike(slot: number, other: number): boolean {
    if (slot === other) return true;
    this.pairs.push([slot, other]);
    return this.alike.ofTensors(slot, other);
  }

  /** A leaf that each layer has for itself, or each but this one. */
  private leafOf(layer: number, leaf: number): number {
    const found = this.ownLeafs[layer]?.[this.slices.rankOf[leaf] as number];
    if (found === undefined) this.failed = true;
    return found ?? NONE;
  }

  private stepOf(layer: number, rank: number): number {
    const { slices, planned } = this;
    const place = planned.placeOf[layer] as number;
    const base = this.bases[layer] as number;
    if (!this.isPlanned(layer)) return base + rank;
    return base + ((slices.steps[place] as number[])[rank] as number) - (planned.begins[place] as number);
  }
}
