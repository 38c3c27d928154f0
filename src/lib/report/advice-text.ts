import type { Advice, Change } from '../preflight/advice/advice.js';
import type { MemoryCheck } from '../preflight/check-memory.js';
import { tightness } from '../preflight/tightness.js';
import { formatGigabytes, formatTenths } from './bytes.js';
import { hanging } from './wrap.js';

const INDENT = '    ';

const MACHINES = {
  mac: (gigabytes: number) => `a Mac with ${gigabytes}GB`,
  system: (gigabytes: number) => `a machine with ${gigabytes}GB of memory`,
  gpu: (gigabytes: number) => `a GPU with ${gigabytes}GB`,
  budget: (gigabytes: number) => `a budget of ${gigabytes}GB`,
} as const;

/** What would fit instead, a suggestion in two or more lines; empty when nothing was found. */
export function adviceText(check: MemoryCheck, width: number): string[] {
  const { advice = [] } = check;
  if (advice.length === 0) return [];
  const isMachine = advice.every(({ changes }) => changes.some(({ kind }) => kind === 'machine'));
  const heading = isMachine
    ? 'No change of the launch makes it fit. It would, as it is, in:'
    : 'With these flags it fits, by the same check:';
  return [
    '',
    ...hanging('  ', heading.split(' '), width),
    ...advice.flatMap((one) => suggestionText(one, check, width)),
  ];
}

function suggestionText(suggestion: Advice, check: MemoryCheck, width: number): string[] {
  const { flags, model, verdict } = suggestion;
  const [limit] = suggestion.verdict.limits;
  const amount = formatTenths(limit?.requiredBytes ?? 0).padStart(7);
  const words = [...(model === undefined ? [] : [model]), ...flags];
  const others = tightness(verdict.limits, verdict.estimate.growth).find((cause) => cause.reason === 'others');
  const asked = others && `other programs would have to give up ${formatGigabytes(others.giveUpBytes)}`;
  const reasons = [...suggestion.changes.map((change) => reason(change, check)), ...(asked ? [asked] : [])];
  const why = reasons.join('; ');
  const label = `${INDENT}${amount}  `;
  const further = ' '.repeat(label.length);
  if (words.length === 0) return hanging(label, why.split(' '), width);
  return [...hanging(label, words, width), ...hanging(further, why.split(' '), width)];
}

function reason(change: Change, { estimate, shape }: MemoryCheck): string {
  const resolved = estimate?.resolved;
  switch (change.kind) {
    case 'projector':
      return 'without the projector: text only';
    case 'slots': {
      const unified = resolved?.kvUnified === true ? ', and no KV cache shared between slots' : '';
      return `one request at a time instead of ${resolved?.slots}${unified}`;
    }
    case 'ubatch':
      return 'reads prompts a little slower';
    case 'cache-type':
      return '8-bit KV cache';
    case 'context':
      return `${change.tokens} of ${resolved?.nCtx} tokens`;
    case 'quantization':
      return `${change.variant.isEstimated ? 'about ' : ''}${formatGigabytes(change.variant.shape.fileBytes)} of weights instead of ${formatGigabytes(shape?.fileBytes ?? 0)}`;
    case 'load':
      return change.mmap === false
        ? 'the file is read into memory, not mapped'
        : 'no weights are copied into another layout';
    case 'gpu-layers':
      return `${change.layers} of ${change.of} layers on the GPU${change.layers < (resolved?.gpuLayers ?? 0) ? ', which is slower' : ''}`;
    case 'cpu-experts':
      return `experts of ${change.layers} layers stay on the CPU, which is slower`;
    case 'free-memory':
      return `quit programs that hold ${formatGigabytes(change.freeBytes)} in all`;
    case 'memory-fraction':
      return `risk: leaves ${formatGigabytes(change.leftBytes)} for all that starts later and for the prompt cache`;
    case 'wired-limit':
      return `risk: leaves ${formatGigabytes(change.leftBytes)} to macOS; first set it, until the next restart, with "sudo sysctl iogpu.wired_limit_mb=${change.mebibytes}"`;
    case 'machine':
      return change.gpus === undefined
        ? MACHINES[change.memory](change.gigabytes)
        : `${change.gpus} GPUs with ${change.gigabytes}GB each`;
  }
}
