import type { Backend } from './backend.js';
import type { DeviceBytes } from './device.js';
import { allocateAndNote, allocateGraph } from './graph-allocator.js';
import { type Block, withMore } from './longer-tape.js';
import type { Tape, TensorSizes } from './tape.js';

/** Repetitions that are planned before those that follow can be seen to change nothing; one more where their number is odd. */
const SETTLED_AFTER = 4;

/**
 * `allocateGraph` for a tape with more of each block. Of many repetitions a few are planned: a step reads what its own repetition or the
 * one before it made, so once one leaves behind what the one or the two before it left, all go on alike but the last, which is planned.
 */
export function allocateRepeated(
  tape: Tape,
  blocks: readonly Block[],
  sizes: TensorSizes,
  backends: readonly Backend[],
): DeviceBytes {
  const fewer = blocks.map((block) => ({ ...block, more: plannedRepetitions(block) }));
  const short = withMore(tape, fewer);
  const watched = short.ends.map((ends, i) => (isShortened(fewer[i], blocks[i]) ? ends.slice(-4, -1) : []));
  const slotsBefore = new Map(watched.flatMap((ends, i) => ends.map((end) => [end, lengthOf(blocks[i])] as const)));
  const { bytes, notes } = allocateAndNote(short.tape, sizes, backends, slotsBefore);
  const isSettled = watched.every((ends) => {
    const [twoBefore, before, last] = ends.map((end) => notes.get(end));
    return last === before || last === twoBefore;
  });
  return isSettled ? bytes : allocateGraph(withMore(tape, blocks).tape, sizes, backends);
}

/** As many more or fewer by an even number; all where leafs are repeated, too, which are placed before all steps. */
function plannedRepetitions({ more, leafCount }: Block): number {
  const fewer = SETTLED_AFTER + ((more - SETTLED_AFTER) % 2);
  return leafCount > 0 || more <= fewer ? more : fewer;
}

function isShortened(short: Block | undefined, whole: Block | undefined): boolean {
  return short?.more !== whole?.more;
}

function lengthOf(block: Block | undefined): number {
  return block === undefined ? 0 : block.end - block.start;
}
