import type { BudgetPolicy } from '../../budget/budget-policy.js';
import type { Advice, Change } from './advice.js';

/** As many as a line holds. */
const MOST_WORDS = 3;

/** The most telling first. */
const ORDER: readonly Change['kind'][] = [
  ...([
    'tensor-split',
    'devices',
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
    'no-gpu',
    'quantization',
    'context',
    'free-memory',
  ] as const),
  ...(['slots', 'cache-type', 'ubatch', 'memory-fraction', 'wired-limit', 'machine'] as const),
];

const LARGER_MACHINE = 'use a smaller model or a larger machine';

/**
 * What was proven to help, in a few words each: a change that is enough, or that spares part of one that is (some context, and a
 * quantization that is not quite as small); where none is enough, those that are needed together; where only another machine helps, that.
 * @param policy whose `from` says what is to be raised
 */
export function headline(advice: readonly Advice[], policy: BudgetPolicy = {}): readonly string[] {
  const [fewest] = [...advice].sort((a, b) => a.changes.length - b.changes.length);
  if (fewest === undefined) return [LARGER_MACHINE];
  const enough = new Set(
    advice.flatMap(({ changes: [first, ...more] }) => (first && more.length === 0 ? [first.kind] : [])),
  );
  if (enough.size === 0) return [together(wordsOf(fewest.changes, policy))];
  const helping = advice.filter(({ changes }) => changes.some(({ kind }) => enough.has(kind)));
  return wordsOf(
    helping.flatMap(({ changes }) => changes),
    policy,
  ).slice(0, MOST_WORDS);
}

/** The most telling first, each kind once. */
function wordsOf(changes: readonly Change[], policy: BudgetPolicy): readonly string[] {
  return ORDER.flatMap((kind) => {
    const change = changes.find((one) => one.kind === kind);
    return change === undefined ? [] : [inWords(change, policy)];
  });
}

function together(words: readonly string[]): string {
  const before = words.slice(0, -1).join(', ');
  return before === '' ? words.join() : `${before} and ${words.at(-1)}`;
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
    case 'no-gpu':
      return 'do without the GPU';
    case 'devices':
      return 'use fewer GPUs (--device)';
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
