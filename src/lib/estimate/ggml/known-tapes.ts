import type { Backend } from './backend.js';
import type { DeviceBytes } from './device.js';
import { allocateGraph } from './graph-allocator.js';
import { originsOn } from './origins.js';
import { type Allocation, allocateSettling, type PlannedTape } from './settled-allocation.js';
import { IS_VIEW, type Tape, type TensorSizes } from './tape.js';
import { sameLayout, type Tensor } from './tensor.js';

/** What tapes say, whatever the size of their tensors. */
interface KnownTape {
  /** Of few layers. */
  readonly few: Tape;
  readonly begins: readonly number[];
  /** What was gone through for all of them, and of each of its slots the one on the tape of few that it repeats. */
  readonly laid: Allocation['laid'];
  readonly origins: Int32Array;
  readonly settled: boolean;
}

const MOST_KNOWN = 8;

/**
 * Tapes of the fewest layers of a model, each kind there once, with the tape of all layers that a launch was found to have from
 * planning more of them, and comparing those. A launch whose few layers say the same, with other sizes, has the same whole.
 */
export class KnownTapes {
  private readonly known: KnownTape[] = [];
  /** How often the layers that were chosen turned out not to stand for all. */
  failures = 0;

  /** Null where what is asked is not known. */
  allocate({ tape, sizes, slices }: PlannedTape, backends: readonly Backend[]): DeviceBytes | null {
    const { begins, repeats } = slices;
    const found = this.known.find((other) => isSame(other.begins, begins) && saysTheSame(other.few, tape));
    if (!found) return null;
    const { laid, origins, settled } = found;
    const tensors: Tensor[] = [];
    for (let slot = 0; slot < origins.length; slot++) tensors.push(tape.tensors[origins[slot] as number] as Tensor);
    const whole = { ...laid.tape, tensors };
    return settled
      ? allocateSettling({ tape: whole, bases: laid.bases }, sizes, repeats, backends)
      : allocateGraph(whole, sizes, backends);
  }

  /** `allocation` is what was made of a tape of more layers. */
  learn(few: PlannedTape, more: PlannedTape, { laid, settled }: Allocation): void {
    const origins = originsOn(few, more, laid.tape);
    if (!origins || !areAsLarge(few, origins, laid.tape, more.sizes)) {
      this.failures++;
      return;
    }
    if (this.known.length === MOST_KNOWN) this.known.shift();
    this.known.push({
      few: withoutTensors(few.tape),
      begins: few.slices.begins,
      laid: { ...laid, tape: withoutTensors(laid.tape) },
      origins,
      settled,
    });
  }
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

function isSame(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
