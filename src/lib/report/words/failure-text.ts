import { neededParts, totalBytes, type MemoryEstimate } from '../../estimate/memory-estimate.js';
import { isDiscrete } from '../../preflight/judge/judge.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { areApart, isUnder, type LimitCheck } from '../../preflight/judge/verdict.js';
import { explainBudget } from './budget-text.js';
import { gpusInWords, takenOfEach, whereLimited } from './limit-label.js';
import { formatExceeding, formatSize } from './bytes.js';
import { modelName } from './model-name.js';

/** Why a check does not let a model through. */
export interface CheckFailure {
  /** Stable, documented in docs/exit-codes.md. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
}

/** Undefined when the model fits. */
export function failureOf(check: MemoryCheck): CheckFailure | undefined {
  const { verdict } = check;
  if (verdict.kind === 'unknown') return { code: verdict.code, message: verdict.reason };
  const [limit] = verdict.limits;
  if (verdict.kind !== 'does-not-fit' || limit === undefined) return undefined;
  const [required, available] = amounts(limit);
  const message = `${headline(check)}: it needs ${required}, the budget is ${available}`;
  return { code: 'INSUFFICIENT_MEMORY', message };
}

/** The refusal as people read it on stderr: lines whose first two words scripts may rely on. */
export function failureText(check: MemoryCheck, word: 'Error' | 'Warning' = 'Error'): string {
  const { verdict } = check;
  if (verdict.kind === 'unknown') {
    const { estimate, suggestions } = check;
    const requirement = estimate && `  Estimated requirement: ${together(estimate, check.launch)}`;
    const advice = suggestions.map((text) => `  Suggestion: ${text}`);
    const lines = [
      `${word}: cannot check the memory for ${modelName(check)}`,
      `  Reason: ${verdict.reason}`,
      requirement,
      ...advice,
      ...versionLine(check),
    ];
    return lines.filter((line) => line !== undefined).join('\n');
  }
  const [limit] = verdict.limits;
  if (limit === undefined) return '';
  const [required, available] = amounts(limit);
  return [
    `${word}: ${headline(check)}`,
    `  Estimated requirement: ${required}`,
    `  Available budget: ${available}`,
    ...(check.suggestions.length === 0 ? [] : [`  Suggestion: ${alternatives(check.suggestions)}`]),
    ...besideModel(check.estimate, limit),
    ...(areApart(verdict.limits) && verdict.limits.length > 2
      ? [`  Of each memory: ${takenOfEach(verdict.limits)}`]
      : []),
    ...versionLine(check),
  ].join('\n');
}

/** Of no limit: everything, and where that lies in memories apart, how much of it on GPUs. */
function together(estimate: MemoryEstimate, { accelerator }: LaunchOptions): string {
  const all = `~${formatSize(totalBytes(estimate))}`;
  const onGpus = neededParts(estimate).filter(({ device }) => device === 'gpu');
  if (!isDiscrete(accelerator) || onGpus.length === 0) return all;
  return `${all} in all, ${formatSize(totalBytes({ parts: onGpus }))} of it on ${gpusInWords(estimate)}`;
}

/** What is loaded beside the model under the limit that refuses, which the model's name does not say. */
function besideModel(estimate: MemoryEstimate | undefined, limit: LimitCheck): readonly string[] {
  if (estimate === undefined) return [];
  const under = neededParts(estimate).filter((part) => isUnder(limit, part));
  const shares = [...new Set(under.map(({ of }) => of))].flatMap((of) => {
    const bytes = under.filter((part) => part.of === of).reduce((sum, part) => sum + part.bytes, 0);
    return of === 'model' || bytes === 0 ? [] : [`${formatSize(bytes)} for the ${OWNERS[of]}`];
  });
  return shares.length === 0 ? [] : [`  Of the requirement: ${shares.join(', ')}`];
}

const OWNERS = { projector: 'projector', draft: 'draft', mtp: 'MTP head', adapter: 'adapters' } as const;

function versionLine({ estimate }: MemoryCheck): readonly string[] {
  return estimate === undefined ? [] : [`  Calculated for: llama.cpp ${estimate.resolved.llamaCpp}`];
}

function headline(check: MemoryCheck): string {
  const { shape } = check;
  return `insufficient memory for ${modelName(check)}${shape === undefined ? '' : ` (${shape.quantization})`}`;
}

function amounts(limit: LimitCheck): readonly [required: string, available: string] {
  const [required, available] = formatExceeding(limit.requiredBytes, Math.max(0, limit.budget.bytes));
  return [`${required}${whereLimited(limit)}`, `${available} (${explainBudget(limit.budget)})`];
}

/** "a", "a or b", "a, b, or c". */
function alternatives(options: readonly string[]): string {
  if (options.length <= 2) return options.join(' or ');
  return `${options.slice(0, -1).join(', ')}, or ${options.at(-1)}`;
}
