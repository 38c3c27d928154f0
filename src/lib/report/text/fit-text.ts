import type { ChalkInstance } from 'chalk';
import type { ModelShape } from '../../model/model-shape.js';
import type { CompleteCheck } from '../../preflight/memory-check.js';
import type { FittedLaunch } from '../../preflight/fit/fit-launch.js';
import { leastBitsBeside, type Preference } from '../../preflight/fit/fit-search.js';
import { areApart, headroomBytes, type LimitCheck } from '../../preflight/judge/verdict.js';
import { explainBudgetBriefly } from '../words/budget-text.js';
import { formatSize } from '../words/bytes.js';
import { gpusInWords, whereLimited } from '../words/limit-label.js';
import { tightnessOf } from '../words/warnings.js';
import { commandText } from '../layout/command-text.js';
import { hanging } from '../layout/wrap.js';
import { SERVER_DEFAULTS } from '../../runtime/server-defaults.js';

const LABEL = 11;

/** The best launch: the command, where there is one, ready to be run, and why it is the best. */
export function fitText(
  fitted: FittedLaunch,
  command: readonly string[] | undefined,
  { check, prefer, width, colors }: { check: CompleteCheck; prefer: Preference; width: number; colors: ChalkInstance },
): string {
  const { limits } = fitted.verdict;
  const shown = areApart(limits) ? limits : limits.slice(0, 1);
  const rows: readonly (readonly [string, string])[] = [
    ...shown.map((limit, index) => [index === 0 ? 'takes' : '', takenWords(limit)] as const),
    ['llama.cpp', fitted.verdict.estimate.resolved.llamaCpp],
    ['weights', weightsReason(fitted, check, fitted.missedContext === undefined ? prefer : 'context')],
    ['context', contextReason(fitted)],
    ...(fitted.changes.some(({ kind }) => kind === 'cache-type')
      ? ([['KV cache', '8 bits, since with 16 bits the context would be shorter or the weights smaller']] as const)
      : []),
    ...changeRows(fitted),
    ...(fitted.cacheRamMiB === undefined ? [] : ([['prompts', promptsReason(fitted.cacheRamMiB)]] as const)),
    ...tightnessOf({ ...fitted, programs: check.programs }).map((cause) => ['tight', cause] as const),
  ];
  return [
    ...(command === undefined
      ? []
      : [
          ...commandText(command, width)
            .split('\n')
            .map((line) => colors.bold(line)),
          '',
        ]),
    ...rows.flatMap(([label, text]) => hanging(label.padEnd(LABEL), text.split(' '), width)),
  ].join('\n');
}

function takenWords(limit: LimitCheck): string {
  const { requiredBytes, budget, hostOnly } = limit;
  const where = hostOnly ? ' on the host' : whereLimited(limit);
  const spare = `${formatSize(headroomBytes(limit))} to spare (${explainBudgetBriefly(budget)})`;
  return `${formatSize(requiredBytes)} of ${formatSize(budget.bytes)}${where}, ${spare}`;
}

function promptsReason(cacheRamMiB: number): string {
  if (cacheRamMiB === 0) return 'no prompt cache (--cache-ram 0), for it could grow beyond the budget';
  return `the prompt cache gets what is left, --cache-ram ${cacheRamMiB}, not the usual ${SERVER_DEFAULTS.cacheRamMiB}`;
}

/** What else was changed. */
function changeRows({ changes, verdict }: FittedLaunch): readonly (readonly [string, string])[] {
  const gpus = gpusInWords(verdict.estimate);
  return changes.flatMap((change): readonly (readonly [string, string])[] => {
    switch (change.kind) {
      case 'cpu-experts':
        return [
          [
            'experts',
            `those of ${change.layers} layers stay on the CPU, for ${gpus} ${gpus === 'the GPU' ? 'does' : 'do'} not hold them`,
          ],
        ];
      case 'gpu-layers':
        if (change.layers < 0) return [];
        return [
          [
            'layers',
            `${change.layers} of ${change.of} on ${gpus}, for ${gpus === 'the GPU' ? 'it does' : 'they do'} not hold more`,
          ],
        ];
      case 'tensor-split':
        return [['shares', `${change.shares.join(' and ')} layers, for by what is free on each GPU they hold less`]];
      case 'devices':
        return [['GPUs', `only ${change.devices.join(' and ')}, for with the others there is less room`]];
      case 'no-gpu':
        return [['GPU', 'not used, for it has no room even for a launch without layers on it']];
      case 'load':
        return [
          [
            'loading',
            change.mmap === false
              ? 'into memory, which takes less here than mapping'
              : 'without a copy in another layout',
          ],
        ];
      case 'checkpoints':
        return [['states', statesReason(change.count)]];
      case 'slots':
        return [['slots', 'one request at a time, for what several keep could grow beyond the budget']];
      case 'image-tokens':
        return [['images', `at most ${change.tokens} tokens each, for more could grow beyond the budget`]];
      case 'ubatch':
      case 'draft-tokens':
        return [
          [
            'drafting',
            `with ${change.kind === 'ubatch' ? `batches of ${change.tokens}` : `${change.tokens} at a time`}, for more could grow beyond the budget`,
          ],
        ];
      default:
        return [];
    }
  });
}

function statesReason(checkpoints: number): string {
  const least = checkpoints < 2 ? ', so that each answer reads its whole prompt anew' : '';
  return `at most ${checkpoints} checkpoints a slot, for more could grow beyond the budget${least}`;
}

function weightsReason({ shape, variant }: FittedLaunch, check: CompleteCheck, prefer: Preference): string {
  const size = `${shape.quantization}, ${formatSize(shape.fileBytes)}`;
  const estimated = variant?.isEstimated === true ? ', estimated, since the source was not read' : '';
  if (variant === undefined) return `${size}, as asked for`;
  const than = shape.fileBytes > check.shape.fileBytes ? 'larger' : 'smaller';
  const why = prefer === 'quality' ? 'the largest that leaves room for the context' : mostContext(shape);
  return `${size}${estimated}: ${than} than ${check.shape?.quantization}, ${why}`;
}

function mostContext(shape: ModelShape): string {
  const bits = leastBitsBeside(shape);
  return `what leaves the most for context${bits === 0 ? '' : `, of those with ${bits} bits a weight or more`}`;
}

function contextReason(fitted: FittedLaunch): string {
  const { nCtx, nCtxSeq, slots, kvUnified } = fitted.verdict.estimate.resolved;
  const each = slots > 1 && !kvUnified ? `, ${nCtxSeq} for each of ${slots} slots` : '';
  return `${nCtx} tokens${each}: ${whyThatContext(fitted)}`;
}

function whyThatContext({ contextIsWhole, leavesRoomToGrow, missedContext }: FittedLaunch): string {
  const missed = missedContext === undefined ? '' : `, less than the ${missedContext} asked for`;
  if (contextIsWhole) return `all that the model was trained with${missed}`;
  const growth = leavesRoomToGrow ? ', and room for what grows' : '';
  return `the most that fits with 5 % of the budget left${growth}${missed}`;
}
