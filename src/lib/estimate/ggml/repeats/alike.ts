import type { LayerSlices } from './layer-slices.js';
import { NONE, type TensorSizes } from '../allocation/tape.js';
import { sameLayout, type Tensor } from '../tensor.js';

/** Compares what two planned layers say, step by step. */
export class Alikeness {
  constructor(
    private readonly slices: LayerSlices,
    private readonly tensors: readonly Tensor[],
    private readonly sizes: TensorSizes,
  ) {}

  /** Whether both have the same results, of what is the same for both or lies equally for both. */
  ofLayers(a: number, b: number): boolean {
    const { steps, leafs } = this.slices;
    const [leafsOfA, leafsOfB] = [leafs[a], leafs[b]] as [number[], number[]];
    const [stepsOfA, stepsOfB] = [steps[a], steps[b]] as [number[], number[]];
    return (
      leafsOfA.length === leafsOfB.length &&
      stepsOfA.length === stepsOfB.length &&
      leafsOfA.every((leaf, i) => this.ofTensors(leaf, leafsOfB[i] as number)) &&
      stepsOfA.every((step, i) => this.ofSteps(step, a, stepsOfB[i] as number, b))
    );
  }

  /** What two slots hold, whatever they read. Of a view nothing matters but that it is one. */
  ofTensors(slotA: number, slotB: number): boolean {
    const { tensors } = this;
    const { backends } = this.slices.tape;
    const a = tensors[slotA] as Tensor;
    const b = tensors[slotB] as Tensor;
    if (a === b) return true;
    const backend = backends[slotB] as number;
    if (a.op !== b.op || backends[slotA] !== backend || a.isOutput !== b.isOutput || a.isInput !== b.isInput)
      return false;
    if (a.viewSrc || b.viewSrc) return a.viewSrc !== null && b.viewSrc !== null;
    return sameLayout(a, b) && this.sizes.on(a, backend) === this.sizes.on(b, backend);
  }

  private ofSteps(stepA: number, a: number, stepB: number, b: number): boolean {
    const { roots, starts, sources } = this.slices.tape;
    if (!this.ofTensors(stepA, stepB)) return false;
    if (!this.ofReads(roots[stepA] as number, a, roots[stepB] as number, b)) return false;
    const startA = starts[stepA] as number;
    const startB = starts[stepB] as number;
    const count = (starts[stepA + 1] as number) - startA;
    if ((starts[stepB + 1] as number) - startB !== count) return false;
    for (let i = 0; i < count; i++)
      if (!this.ofReads(sources[startA + i] as number, a, sources[startB + i] as number, b)) return false;
    return true;
  }

  private ofReads(slotA: number, a: number, slotB: number, b: number): boolean {
    const { slices } = this;
    if (slotA === NONE || slotB === NONE) return slotA === slotB;
    const placeA = slices.placeOf[slotA] as number;
    // Of a layer that has its like, both may mean this one, or each the one before it.
    if (slotA === slotB) return placeA < 0 || slices.isAlone(placeA);
    if (slotA < slices.tape.leafs !== slotB < slices.tape.leafs) return false;
    const placeB = slices.placeOf[slotB] as number;
    if (placeA < 0 || placeB < 0 || a - placeA !== b - placeB) return false;
    const way = slices.wayTo(slotA, a);
    if (way === 'own') return slices.rankOf[slotA] === slices.rankOf[slotB];
    return way === 'neighbour' && slices.stepsBetween(slotA, a) === slices.stepsBetween(slotB, b);
  }
}
