import type { ChalkInstance } from 'chalk';
import type { PartName } from '../../estimate/memory-estimate.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { headroomBytes } from '../../preflight/judge/verdict.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel } from '../words/limit-label.js';
import { hanging, wrapWords } from '../layout/wrap.js';
import { modelName } from '../words/model-name.js';

const LABEL_WIDTH = 12;
const GAP = 2;
const VERDICTS = { fits: 'fits', tight: 'tight', 'does-not-fit': 'does not fit', unknown: 'unknown' } as const;

type Row = readonly [label: string, value: (check: MemoryCheck) => string];

const ROWS: readonly Row[] = [
  ['model', modelName],
  ['quantization', ({ shape }) => shape?.quantization ?? '-'],
  ['parameters', ({ shape }) => (shape === undefined ? '-' : `${(shape.parameterCount / 1e9).toFixed(1)}B`)],
  ['context', ({ estimate }) => String(estimate?.resolved.nCtx ?? '-')],
  ['llama.cpp', ({ estimate }) => estimate?.resolved.llamaCpp ?? '-'],
  ['slots', ({ estimate }) => String(estimate?.resolved.slots ?? '-')],
  ['weights', partsRow(['weights', 'weights-copy', 'expert-cache'])],
  ['KV cache', partsRow(['kv-cache', 'recurrent-state'])],
  ['compute', partsRow(['compute', 'output'])],
  ['overhead', partsRow(['runtime-overhead'])],
  [
    'decisive',
    ({ verdict }) => (verdict.kind === 'unknown' || !verdict.limits[0] ? '-' : limitLabel(verdict.limits[0])),
  ],
  ['requirement', (check) => limitSize(check, 'requiredBytes')],
  ['budget', (check) => limitSize(check, 'budget')],
  ['to spare', (check) => limitSize(check, 'headroom')],
  ['verdict', ({ verdict }) => VERDICTS[verdict.kind]],
  ['largest ctx', ({ largest, verdict }) => String(largest ?? (verdict.kind === 'unknown' ? '-' : 'none'))],
];

/** Models side by side, a column each; as many beside each other as the width holds. */
export function compareText(models: readonly MemoryCheck[], width: number, colors: ChalkInstance): string {
  const columns = models.map((model) => ROWS.map(([, value]) => value(model)));
  const blocks: (readonly string[])[][] = [[]];
  let used = LABEL_WIDTH;
  for (const column of columns) {
    const own = widthOf(column) + GAP;
    if (used + own > width && blocks.at(-1)?.length) {
      blocks.push([]);
      used = LABEL_WIDTH;
    }
    blocks.at(-1)?.push(column);
    used += own;
  }
  const reasons = models.flatMap((check) => whyUnknown(check, width));
  return [...blocks.map((block) => blockText(block, colors)), ...(reasons.length > 0 ? [reasons.join('\n')] : [])].join(
    '\n\n',
  );
}

function whyUnknown(check: MemoryCheck, width: number): readonly string[] {
  const { verdict, suggestions } = check;
  if (verdict.kind !== 'unknown') return [];
  const advice = suggestions.flatMap((text) => hanging('  Suggestion: ', text.split(' '), width));
  return [...wrapWords(`${modelName(check)}: ${verdict.reason}`.split(' '), width), ...advice];
}

function blockText(columns: readonly (readonly string[])[], colors: ChalkInstance): string {
  return ROWS.map(([label], row) => {
    const cells = columns.map((column) => (column[row] ?? '').padStart(widthOf(column) + GAP));
    const line = label.padEnd(LABEL_WIDTH) + cells.join('');
    return label === 'model' || label === 'verdict' ? colors.bold(line) : line;
  }).join('\n');
}

function widthOf(column: readonly string[]): number {
  return Math.max(...column.map((text) => text.length));
}

function partsRow(names: readonly PartName[]): (check: MemoryCheck) => string {
  return ({ estimate }) => {
    if (estimate === undefined) return '-';
    const bytes = estimate.parts.reduce((sum, part) => sum + (names.includes(part.name) ? part.bytes : 0), 0);
    return formatSize(bytes);
  };
}

function limitSize({ verdict }: MemoryCheck, which: 'requiredBytes' | 'budget' | 'headroom'): string {
  const limit = verdict.kind === 'unknown' ? undefined : verdict.limits[0];
  if (limit === undefined) return '-';
  if (which === 'headroom') return formatSize(headroomBytes(limit));
  return formatSize(which === 'budget' ? limit.budget.bytes : limit.requiredBytes);
}
