import type { ChalkInstance } from 'chalk';
import type { ModelShape } from '../../model/model-shape.js';
import type { CompleteCheck } from '../../preflight/memory-check.js';
import { leastBitsBeside, type FittedLaunch, type Preference } from '../../preflight/fit/fit-launch.js';
import { headroomBytes } from '../../preflight/judge/verdict.js';
import { explainBudgetBriefly } from '../words/budget-text.js';
import { formatSize } from '../words/bytes.js';
import { commandText } from '../layout/command-text.js';
import { hanging } from '../layout/wrap.js';

const LABEL = 11;

/** The best launch: the command, where there is one, ready to be run, and why it is the best. */
export function fitText(
  fitted: FittedLaunch,
  command: readonly string[] | undefined,
  { check, prefer, width, colors }: { check: CompleteCheck; prefer: Preference; width: number; colors: ChalkInstance },
): string {
  const [limit] = fitted.verdict.limits;
  const budget = limit && `${formatSize(limit.requiredBytes)} of ${formatSize(limit.budget.bytes)}`;
  const spare = limit && `${formatSize(headroomBytes(limit))} to spare (${explainBudgetBriefly(limit.budget)})`;
  const rows: readonly (readonly [string, string])[] = [
    ['takes', `${budget}, ${spare}`],
    ['llama.cpp', fitted.verdict.estimate.resolved.llamaCpp],
    ['weights', weightsReason(fitted, check, prefer)],
    ['context', contextReason(fitted)],
    ...(fitted.changes.some(({ kind }) => kind === 'cache-type')
      ? ([['KV cache', '8 bits, since with 16 bits the context would be shorter or the weights smaller']] as const)
      : []),
    ...placementRows(fitted),
    ...(fitted.cacheRamMiB === undefined ? [] : ([['prompts', promptsReason(fitted.cacheRamMiB)]] as const)),
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

function promptsReason(cacheRamMiB: number): string {
  if (cacheRamMiB === 0) return 'no prompt cache (--cache-ram 0), for it could grow beyond the budget';
  return `the prompt cache gets what is left, --cache-ram ${cacheRamMiB}, not the usual 8192`;
}

function placementRows({ changes }: FittedLaunch): readonly (readonly [string, string])[] {
  return changes.flatMap((change): readonly (readonly [string, string])[] => {
    switch (change.kind) {
      case 'cpu-experts':
        return [['experts', `those of ${change.layers} layers stay on the CPU, for the GPU does not hold them`]];
      case 'gpu-layers':
        return [['layers', `${change.layers} of ${change.of} on the GPU, for it does not hold more`]];
      case 'load':
        return [
          [
            'loading',
            change.mmap === false
              ? 'into memory, which takes less here than mapping'
              : 'without a copy in another layout',
          ],
        ];
      default:
        return [];
    }
  });
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

function contextReason({ verdict, contextIsWhole }: FittedLaunch): string {
  const { nCtx, nCtxSeq, slots, kvUnified } = verdict.estimate.resolved;
  const each = slots > 1 && !kvUnified ? `, ${nCtxSeq} for each of ${slots} slots` : '';
  const why = contextIsWhole ? 'all that the model was trained with' : 'the most that fits with 5 % of the budget left';
  return `${nCtx} tokens${each}: ${why}`;
}
