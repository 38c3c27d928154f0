import type { BudgetPolicy } from '../../budget/budget-policy.js';
import type { Advice, Change } from './advice.js';

/** As many as a line holds. */
const MOST_WORDS = 3;

/** The most telling first. */
const ORDER: readonly Change['kind'][] = [
  ...([
    'tensor-split',
    'load',
    'projector',
    'projector-on-cpu',
    'draft-tokens',
    'draft-cache-type',
    'draft-quantization',
    'draft-on-cpu',
    'no-draft',
    'cpu-experts',
    'gpu-layers',
    'quantization',
    'context',
    'free-memory',
  ] as const),
  ...(['slots', 'cache-type', 'ubatch', 'memory-fraction', 'wired-limit', 'machine'] as const),
];

const LARGER_MACHINE = 'use a smaller model or a larger machine';

/**
 * What was proven to help, in a few words each; where only another machine does, that.
 * @param policy whose `from` says what is to be raised
 */
export function headline(advice: readonly Advice[], policy: BudgetPolicy = {}): readonly string[] {
  const changes = advice.flatMap((one) => one.changes);
  const words = ORDER.flatMap((kind) => {
    const change = changes.find((one) => one.kind === kind);
    return change === undefined ? [] : [inWords(change, policy)];
  });
  return words.length > 0 ? words.slice(0, MOST_WORDS) : [LARGER_MACHINE];
}

/** What a person does for a change, to complete "try to …". */
function inWords(change: Change, { from, fraction }: BudgetPolicy): string {
  switch (change.kind) {
    case 'load':
      return change.mmap === false ? 'use --no-mmap' : 'use --no-repack';
    case 'projector':
      return 'do without the projector';
    case 'draft-tokens':
      return 'lower --spec-draft-n-max';
    case 'projector-on-cpu':
      return 'keep the projector on the CPU';
    case 'draft-cache-type':
      return `use --spec-draft-type-k ${change.type} --spec-draft-type-v ${change.type}`;
    case 'draft-quantization':
      return 'try a smaller draft';
    case 'no-draft':
      return 'do without the draft';
    case 'draft-on-cpu':
      return 'keep the draft on the CPU';
    case 'cpu-experts':
      return change.isFewer ? 'keep fewer experts on the CPU' : 'keep experts on the CPU';
    case 'gpu-layers':
      return change.layers < change.of ? 'lower --gpu-layers' : 'raise --gpu-layers';
    case 'quantization':
      return 'try a smaller quantization';
    case 'context':
      return 'reduce --ctx-size';
    case 'free-memory':
      return 'free system memory';
    case 'tensor-split':
      return 'share the layers otherwise (--tensor-split)';
    case 'prompt-cache':
      return 'lower --cache-ram';
    case 'checkpoints':
      return 'lower --ctx-checkpoints';
    case 'image-tokens':
      return 'lower --image-max-tokens';
    case 'slots':
      return 'reduce --parallel';
    case 'cache-type':
      return `use --cache-type-k ${change.type} --cache-type-v ${change.type}`;
    case 'ubatch':
      return 'lower --ubatch-size';
    case 'memory-fraction':
      return `raise ${(fraction === undefined ? undefined : from) ?? '--memory-fraction'}`;
    case 'wired-limit':
      return "raise Metal's limit";
    case 'machine':
      return change.memory === 'budget' ? `raise ${from ?? '--memory-budget'}` : LARGER_MACHINE;
  }
}
