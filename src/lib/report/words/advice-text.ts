import type { ResolvedLaunch } from '../../estimate/memory-estimate.js';
import { type Advice, type Change, LEAST_PROPOSED_BITS } from '../../preflight/advice/advice.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { tightness } from '../../preflight/judge/tightness.js';
import { shown } from '../../printable.js';
import { areApart, sameLimit, type LimitCheck } from '../../preflight/judge/verdict.js';
import { formatSize } from './bytes.js';
import { gpusInWords, takenOfEach } from './limit-label.js';
import { commandText } from '../layout/command-text.js';
import { hanging } from '../layout/wrap.js';

const INDENT = '    ';
const UNDER_AMOUNT = ' '.repeat(13);

const MACHINES = {
  mac: (gigabytes: number) => `a Mac with ${gigabytes}GB`,
  system: (gigabytes: number) => `a machine with ${gigabytes}GB of memory`,
  gpu: (gigabytes: number) => `a GPU with ${gigabytes}GB free`,
  budget: (gigabytes: number) => `a budget of ${gigabytes}GB`,
} as const;

/** The pieces of the command that runs a launch with this advice taken, where one was asked for. */
export type CommandOf = (advice: Advice) => readonly string[] | undefined;

/** The launch that was refused. */
export interface Asked {
  readonly resolved: ResolvedLaunch;
  /** What refused it. */
  readonly limit: LimitCheck | undefined;
  /** The model's files together. */
  readonly fileBytes: number;
}

/** What would fit instead, a suggestion in two or more lines; empty when nothing was found. */
export function adviceText(
  { advice = [], estimate, shape, verdict }: MemoryCheck,
  width: number,
  commandOf?: CommandOf,
): string[] {
  if (advice.length === 0 || estimate === undefined || shape === undefined) return [];
  const limit = verdict.kind === 'unknown' ? undefined : verdict.limits[0];
  const asked = { resolved: estimate.resolved, limit, fileBytes: shape.fileBytes };
  return [
    '',
    ...hanging('  ', adviceHeading(advice).split(' '), width),
    ...advice.flatMap((one) => [...suggestionText(one, asked, width), ...commandLines(commandOf?.(one), width)]),
  ];
}

function commandLines(pieces: readonly string[] | undefined, width: number): string[] {
  if (pieces === undefined) return [];
  const [under, further] = [UNDER_AMOUNT, INDENT].map((indent) => commandText(pieces, width, indent).split('\n'));
  const isWide = under?.some((line) => line.length > width);
  return (isWide ? further : under) ?? [];
}

export function adviceHeading(advice: readonly Advice[]): string {
  const isMachine = advice.every(({ changes }) => changes.some(({ kind }) => kind === 'machine'));
  if (isMachine) {
    return `No change of the launch makes it fit (quantizations below ${LEAST_PROPOSED_BITS} bits a weight are not proposed). It would, as it is, in:`;
  }
  const isTogether = advice.some(({ changes }) => changes.length > 1);
  return `With these flags it fits, by the same check${isTogether ? ', all of an entry together' : ''}:`;
}

/** What it takes then of the memory that refused, what to type, and what that means; where memories lie apart, what of each. */
export function suggestionWords(suggestion: Advice, asked: Asked) {
  const { flags, leaveOut = [], verdict, changes, chosenContext } = suggestion;
  const { limits } = verdict;
  const limit = (asked.limit && sameLimit(limits, asked.limit)) ?? limits[0];
  const others = tightness(limits, verdict.estimate.growth).find((cause) => cause.reason === 'others');
  const giveUp = others && `other programs would have to give up ${formatSize(others.giveUpBytes)}`;
  return {
    amount: formatSize(limit?.requiredBytes ?? 0),
    words: [...flags, ...(leaveOut.length > 0 ? [`(leave out ${leaveOut.join(', ')})`] : [])],
    why: [
      ...changes.map((change) => reasonFor(change, asked, gpusInWords(verdict.estimate))),
      ...(chosenContext === undefined ? [] : [`with the ${chosenContext} tokens that llama-server would choose here`]),
      ...(giveUp ? [giveUp] : []),
      ...(areApart(limits) ? [takenOfEach(limits)] : []),
    ].join('; '),
  };
}

function suggestionText(suggestion: Advice, asked: Asked, width: number): string[] {
  const { amount, words, why } = suggestionWords(suggestion, asked);
  const label = `${INDENT}${amount.padStart(7)}  `;
  const further = ' '.repeat(label.length);
  if (words.length === 0) return hanging(label, why.split(' '), width);
  return [...hanging(label, words, width), ...hanging(further, why.split(' '), width)];
}

/** What a change means, against what was asked for. */
function reasonFor(change: Change, { resolved, fileBytes }: Asked, gpus: string): string {
  switch (change.kind) {
    case 'projector':
      return 'without the projector: text only';
    case 'projector-on-cpu':
      return 'the projector on the CPU, which reads images more slowly';
    case 'draft-cache-type':
      return '8-bit KV cache of the draft';
    case 'draft-quantization':
      return `the draft as ${shown(change.variant.quantization)}, ${formatSize(change.variant.shape.fileBytes)} of weights`;
    case 'no-draft':
      return 'without the draft: slower answers';
    case 'draft-tokens':
      return `${change.tokens} ${change.tokens === 1 ? 'token' : 'tokens'} drafted at a time`;
    case 'draft-on-cpu':
      return 'the draft on the CPU, which is slower';
    case 'slots': {
      const unified = resolved.kvUnified ? ', and no KV cache shared between slots' : '';
      return `one request at a time instead of ${resolved.slots}${unified}`;
    }
    case 'prompt-cache':
      return `${change.mebibytes} MiB for the prompts of finished requests`;
    case 'checkpoints':
      return `${change.count} ${change.count === 1 ? 'checkpoint' : 'checkpoints'} a slot to go back to`;
    case 'image-tokens':
      return `at most ${change.tokens} tokens an image`;
    case 'ubatch':
      return 'reads prompts a little slower';
    case 'cache-type':
      return '8-bit KV cache';
    case 'context':
      return `${change.tokens} of ${resolved.nCtx} tokens`;
    case 'quantization':
      return `${change.variant.isEstimated ? 'about ' : ''}${formatSize(change.variant.shape.fileBytes)} of weights instead of ${formatSize(fileBytes)}`;
    case 'load':
      return change.mmap === false
        ? 'the file is read into memory, not mapped'
        : 'no weights are copied into another layout';
    case 'tensor-split':
      return `${change.shares.map((layers, gpu) => `${layers} layers on GPU ${gpu}`).join(', ')}, not by what is free on each`;
    case 'devices':
      return `on ${change.devices.length === 1 ? `GPU ${change.devices.join()} alone` : `GPUs ${change.devices.join(', ')}`}`;
    case 'no-gpu':
      return 'nothing on the GPU, which is slower';
    case 'gpu-layers':
      return `${change.layers} of ${change.of} layers on ${gpus}${change.layers < resolved.gpuLayers ? ', which is slower' : ''}`;
    case 'cpu-experts':
      if (change.isFewer) return `${change.layers === 0 ? 'all experts' : 'more experts'} on ${gpus}, which is faster`;
      return `experts of ${change.layers} layers stay on the CPU, which is slower`;
    case 'free-memory':
      return `quit programs that hold ${formatSize(change.freeBytes)} in all`;
    case 'memory-fraction':
      return `risk: leaves ${formatSize(change.leftBytes)} for all that starts later and for the prompt cache`;
    case 'wired-limit':
      return `risk: leaves ${formatSize(change.leftBytes)} to macOS; first set it, until the next restart, with "sudo sysctl iogpu.wired_limit_mb=${change.mebibytes}"`;
    case 'machine':
      return change.gpus === undefined
        ? MACHINES[change.memory](change.gigabytes)
        : `${change.gpus} GPUs with ${change.gigabytes}GB free on each`;
  }
}
