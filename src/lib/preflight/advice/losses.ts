import type { Change } from './advice.js';

/**
 * What changes of a launch take away, the least first: time at the start, what is loaded beside the model, the speed of
 * prompts and drafts, requests at once, the speed of every token, the cache's precision (8 of 16 bits are hardly
 * noticed), context (text that does not fit is lost altogether), and last the precision of the weights, which every answer
 * rests on.
 */
const LOSSES: readonly Change['kind'][] = [
  'tensor-split',
  'devices',
  'load',
  'projector',
  'draft-tokens',
  'draft-cache-type',
  'draft-quantization',
  'projector-on-cpu',
  'ubatch',
  'draft-on-cpu',
  'no-draft',
  'slots',
  'cpu-experts',
  'gpu-layers',
  'no-gpu',
  'cache-type',
  'context',
  'quantization',
];

/**
 * Below 0 where the first changes lose less: the greatest loss of each is held against the other's, of the same kind the
 * amount, then the next greatest. What loses nothing more than the other is before it.
 */
export function compareLosses(a: readonly Change[], b: readonly Change[]): number {
  const [one, other] = [byLoss(a), byLoss(b)];
  for (const [index, change] of one.entries()) {
    const against = other[index];
    if (against === undefined) return 1;
    const difference = rank(change) - rank(against) || amount(change) - amount(against);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

function byLoss(changes: readonly Change[]): readonly Change[] {
  return [...changes].sort((a, b) => rank(b) - rank(a));
}

/** A projector that was named was wanted: nothing is lost more. Experts that come back to the GPU lose nothing. */
function rank(change: Change): number {
  if (change.kind === 'cpu-experts' && change.isFewer) return 0;
  return change.kind === 'projector' && change.isNamed ? LOSSES.length : LOSSES.indexOf(change.kind);
}

/** How much of its kind a change loses; only comparable within the kind. */
function amount(change: Change): number {
  switch (change.kind) {
    case 'quantization':
    case 'draft-quantization':
      return -change.variant.shape.fileBytes;
    case 'context':
    case 'ubatch':
    case 'draft-tokens':
      return -change.tokens;
    case 'cpu-experts':
      return change.layers;
    case 'gpu-layers':
      return -change.layers;
    case 'load':
      return (change.mmap === false ? 1 : 0) + (change.repack === false ? 1 : 0);
    default:
      return 0;
  }
}
