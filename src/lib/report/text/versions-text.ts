import type { ChalkInstance } from 'chalk';
import { type EstimatePart, neededParts } from '../../estimate/memory-estimate.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { headroomBytes } from '../../preflight/judge/verdict.js';
import type { VersionStep } from '../../preflight/surveys/version-steps.js';
import { alignWithin, columnBlocks } from '../layout/columns.js';
import { hanging, wrapWords } from '../layout/wrap.js';
import { formatSize } from '../words/bytes.js';
import { holderLabel, limitLabel } from '../words/limit-label.js';
import { partLabel } from '../words/part-labels.js';
import { modelName } from '../words/model-name.js';

const MIB = 2 ** 20;
const VERDICTS = { fits: 'fits', tight: 'tight', 'does-not-fit': 'does not fit', unknown: 'unknown' } as const;

/** One launch in several versions of llama.cpp, a column each, in MB; then what each change between them makes of it. */
export function versionsText(
  checks: readonly MemoryCheck[],
  steps: readonly (VersionStep | undefined)[],
  width: number,
  colors: ChalkInstance,
): string {
  const blocks = columnBlocks(versionRows(checks), width).map((rows) => blockText(rows, width, colors));
  const reasons = checks.flatMap(({ verdict, launch }) =>
    verdict.kind === 'unknown' ? wrapWords(`${launch.llamaCpp}: ${verdict.reason}`.split(' '), width) : [],
  );
  return [
    blocks.join('\n\n'),
    ...steps.flatMap((step) => (step === undefined ? [] : ['', ...stepLines(step, width)])),
    ...(reasons.length > 0 ? ['', ...reasons] : []),
  ].join('\n');
}

function blockText(rows: readonly (readonly string[])[], width: number, colors: ChalkInstance): string {
  const columns = rows[0]?.map((_, column) => column).slice(1) ?? [];
  const [head = '', ...lines] = alignWithin(rows, columns, width);
  const painted = lines.map((line) => (/^(requirement|verdict)/.test(line) ? colors.bold(line) : line));
  return [colors.bold(head), ...painted].join('\n');
}

/** The cells of the table: the versions, then a row for each part, then what is made of their sum. */
export function versionRows(checks: readonly MemoryCheck[]): readonly (readonly string[])[] {
  const held = checks.map(({ estimate }) => (estimate === undefined ? [] : neededParts(estimate)));
  const parts = new Map<string, number[]>();
  // What has most parts gives their order.
  for (const part of held.toSorted((a, b) => b.length - a.length).flat())
    parts.set(
      labelOf(part),
      checks.map(() => 0),
    );
  held.forEach((own, column) => {
    for (const part of own) {
      const row = parts.get(labelOf(part)) ?? [];
      row[column] = (row[column] ?? 0) + part.bytes;
    }
  });
  const limits = checks.map(({ verdict }) => (verdict.kind === 'unknown' ? undefined : verdict.limits[0]));
  const cell = (column: number, bytes: number | undefined): string =>
    checks[column]?.estimate === undefined || bytes === undefined ? '-' : (bytes / MIB).toFixed(1);
  const name = checks[0] === undefined ? '' : modelName(checks[0]);
  return [
    [`${name}, MB`, ...checks.map(({ estimate, launch }) => estimate?.resolved.llamaCpp ?? launch.llamaCpp ?? '')],
    ['context', ...checks.map(({ estimate }) => String(estimate?.resolved.nCtx ?? '-'))],
    ...[...parts].map(([label, bytes]) => [label, ...bytes.map((each, column) => cell(column, each))]),
    ...(checks.some(({ verdict }) => verdict.kind !== 'unknown' && verdict.limits.length > 1)
      ? [['decisive', ...limits.map((limit) => (limit === undefined ? '-' : limitLabel(limit)))]]
      : []),
    ['requirement', ...limits.map((limit, column) => cell(column, limit?.requiredBytes))],
    ['budget', ...limits.map((limit, column) => cell(column, limit?.budget.bytes))],
    ['to spare', ...limits.map((limit, column) => cell(column, limit && headroomBytes(limit)))],
    ['verdict', ...checks.map(({ verdict }) => VERDICTS[verdict.kind])],
  ];
}

function labelOf(part: EstimatePart): string {
  return `${partLabel(part)}, ${holderLabel(part)}`;
}

function stepLines({ from, to, bytes, causes }: VersionStep, width: number): string[] {
  if (causes.length === 0) return [`${from} to ${to}: the same`];
  return [
    `${from} to ${to}: ${signedSize(bytes)}`,
    ...causes.flatMap((cause) => hanging(`  ${signedSize(cause.bytes).padStart(9)}  `, cause.what.split(' '), width)),
  ];
}

/** `+24MB`, `-1.05GB`. */
export function signedSize(bytes: number): string {
  return `${bytes > 0 ? '+' : ''}${formatSize(bytes)}`;
}
