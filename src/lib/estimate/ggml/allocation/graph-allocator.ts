import { BlockAllocator } from './allocator.js';
import type { Backend } from '../backend.js';
import { type Device, type DeviceBytes, DeviceTally } from '../device.js';
import { type Moves, movesOf, RELEASE, TAKE } from './moves.js';
import type { Tape, TensorSizes } from './tape.js';

/** How large each device's buffer has to be for a tape. */
export function allocateGraph(tape: Tape, sizes: TensorSizes, backends: readonly Backend[]): DeviceBytes {
  return allocateMoves(movesOf(tape), sizesOn(tape), sizes, backends).bytes;
}

/** By slot of a tape, the slot of `TensorSizes` that has its size. */
export function sizesOn({ tensors }: Tape): Int32Array {
  return Int32Array.from(tensors, ({ slot }) => slot);
}

/** Where slots lie, made once for all launches: so large an array costs a system call each time. */
let offsetsOfSlots = new Float64Array(0);

function roomFor(slots: number): Float64Array {
  if (offsetsOfSlots.length < slots) offsetsOfSlots = new Float64Array(2 * slots);
  return offsetsOfSlots;
}

/**
 * How large each device's buffer becomes, and what is noted at each mark: what is free, and where those slots lie that are in use. Where
 * two notes are the same, moves that are the same go on alike. `sized` has for each slot the one that has its size.
 */
export function allocateMoves(
  { kinds, slots, parents, holders, marks }: Moves,
  sized: Int32Array,
  sizes: TensorSizes,
  backends: readonly Backend[],
): { readonly bytes: DeviceBytes; readonly notes: readonly string[] } {
  const byDevice = new Map<Device, BlockAllocator>();
  const allocators = backends.map(({ memory, maxBuffer }) => {
    const allocator = byDevice.get(memory) ?? new BlockAllocator(maxBuffer);
    byDevice.set(memory, allocator);
    return allocator;
  });
  const offsets = roomFor(holders.length);
  const notes: string[] = [];
  let move = 0;
  const moveUntil = (end: number): void => {
    for (; move < end; move++) {
      const slot = slots[move] as number;
      const holder = holders[slot] as number;
      const allocator = allocators[holder] as BlockAllocator;
      const size = sizes.ofSlot(sized[slot] as number, holder);
      const kind = kinds[move];
      if (kind === TAKE) offsets[slot] = allocator.alloc(size);
      else if (kind === RELEASE) allocator.free(offsets[slot] as number, size);
      else {
        const parent = parents[move] as number;
        const offset = offsets[parent] as number;
        offsets[slot] = offset;
        const rest = sizes.ofSlot(sized[parent] as number, holder) - size;
        if (rest > 0) allocator.free(offset + size, rest);
      }
    }
  };
  for (const { after, slot, inUse } of marks) {
    moveUntil(after);
    const free = Array.from(byDevice.values(), (allocator) => allocator.describe());
    const used = inUse.map((other) => `${other - slot}@${holders[other]}:${offsets[other]}`);
    notes.push([...free, ...used].join(' '));
  }
  moveUntil(slots.length);
  const bytes = new DeviceTally();
  for (const [device, { maxSize }] of byDevice) bytes.set(device, maxSize);
  return { bytes, notes };
}
