import type { ChalkInstance } from 'chalk';
import type { Budget } from '../../budget/budget.js';
import type { HostMemory } from '../../host/host-memory.js';
import { neededParts, type MemoryEstimate } from '../../estimate/memory-estimate.js';
import { growthUnder } from '../../preflight/judge/tightness.js';
import { areApart, isUnder, type CompletedVerdict, type LimitCheck } from '../../preflight/judge/verdict.js';
import { formatSize } from '../words/bytes.js';
import { limitLabel } from '../words/limit-label.js';
import { wrapWords } from '../layout/wrap.js';

interface Segment {
  readonly name: string;
  readonly glyph: string;
  readonly color: 'white' | 'blue' | 'cyan' | 'magenta' | 'gray' | 'yellow';
  readonly bytes: number;
}

const GROWTH = 'can grow by';
const FREE = ' ';
/** Ends a bar that what can grow would make too small to read. */
const CUT = '>';
const LONGEST_OVER_WHOLE = 1.25;

/**
 * A bar for each memory that is held against a budget of its own, the one that decides first; where the GPU shares the machine's, one for
 * both, unless the GPU's limit decides.
 */
export function memoryBars(verdict: CompletedVerdict, host: HostMemory, width: number, colors: ChalkInstance): string {
  const { limits, estimate } = verdict;
  const isDrawn = ({ name }: LimitCheck, index: number): boolean => index === 0 || name === 'memory';
  const drawn = areApart(limits) ? limits : limits.filter(isDrawn);
  return drawn
    .map((limit) => {
      const bar = memoryBar(limit, estimate, { host, width, colors });
      return drawn.length === 1 ? bar : `${colors.bold(limitLabel(limit))}\n${bar}`;
    })
    .join('\n\n');
}

/**
 * One bar to scale: a memory with what is in use, what the launch takes, and what it can still grow by; a mark below where the budget ends; and
 * all of it in words. Each kind has a glyph of its own, so no colour is needed.
 */
function memoryBar(
  limit: LimitCheck,
  estimate: MemoryEstimate,
  { host, width, colors }: { host: HostMemory; width: number; colors: ChalkInstance },
): string {
  const takenBytes = taken(limit.budget);
  const segments = segmentsOf(limit, estimate, takenBytes);
  const budgetEnd = limit.budget.bytes + takenBytes;
  const wholeBytes = wholeOf(limit.budget, host) ?? budgetEnd;
  const needed = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const fixed = needed - (segments.find(({ name }) => name === GROWTH)?.bytes ?? 0);
  const scale = Math.max(wholeBytes, budgetEnd, fixed, Math.min(needed, wholeBytes * LONGEST_OVER_WHOLE));
  const cells = width - 2;
  const at = (bytes: number): number => Math.min(cells, Math.round((bytes / scale) * cells));
  let start = 0;
  const painted = segments.map(({ bytes, glyph, color }) => {
    const text = glyph.repeat(at(start + bytes) - at(start));
    start += bytes;
    return colors[color](text);
  });
  const end = needed > scale ? CUT : ']';
  const bar = `[${painted.join('')}${FREE.repeat(Math.max(0, cells - at(start)))}${end}`;
  const legend = segments.map(
    ({ name, glyph, bytes, color }) => `${colors[color](glyph)} ${name} ${formatSize(bytes)}`,
  );
  return [
    bar,
    budgetMark(at(budgetEnd), cells, formatSize(budgetEnd)),
    ...legendLines(legend, segments, width),
    ...inWords(segments, budgetEnd, wholeBytes, width),
  ].join('\n');
}

/** What is not to be had: in use, or promised. */
function taken(budget: Budget): number {
  return (budget.inUseBytes ?? 0) + (budget.promisedBytes ?? 0);
}

/** Of which the budget is a part; undefined where that is not known. */
function wholeOf(budget: Budget, { totalBytes, gpuWiredLimitBytes }: HostMemory): number | undefined {
  switch (budget.kind) {
    case 'fraction':
      return budget.scope === 'cgroup' ? budget.totalBytes : totalBytes;
    case 'gpu-memory':
      return budget.totalBytes;
    case 'gpu-wired':
      return gpuWiredLimitBytes;
    case 'absolute':
      return undefined;
  }
}

function segmentsOf(limit: LimitCheck, estimate: MemoryEstimate, takenBytes: number): readonly Segment[] {
  const parts = neededParts(estimate).filter((part) => isUnder(limit, part));
  const sum = (names: readonly string[]): number =>
    parts.filter(({ name }) => names.includes(name)).reduce((total, { bytes }) => total + bytes, 0);
  const growth = growthUnder(limit, estimate.growth).reduce(
    (total, { maxBytes }) => total + (Number.isFinite(maxBytes) ? maxBytes : 0),
    0,
  );
  const all: readonly Segment[] = [
    { name: 'in use', glyph: '░', color: 'white', bytes: takenBytes },
    { name: 'weights', glyph: '█', color: 'blue', bytes: sum(['weights', 'weights-copy', 'expert-cache']) },
    { name: 'KV cache', glyph: '▓', color: 'cyan', bytes: sum(['kv-cache', 'recurrent-state']) },
    { name: 'compute', glyph: '▒', color: 'magenta', bytes: sum(['compute', 'output']) },
    { name: 'overhead', glyph: '#', color: 'gray', bytes: sum(['runtime-overhead', 'loading']) },
    { name: GROWTH, glyph: '·', color: 'yellow', bytes: growth },
  ];
  return all.filter(({ bytes }) => bytes > 0);
}

/** `                 ^ budget 21.4GB`, the words on the side where there is room. */
function budgetMark(at: number, cells: number, size: string): string {
  const column = Math.min(cells, Math.max(1, at));
  const words = `budget ${size}`;
  return column > words.length + 1 ? `${words} ^`.padStart(column + 1) : `${' '.repeat(column)}^ ${words}`;
}

function legendLines(painted: readonly string[], segments: readonly Segment[], width: number): string[] {
  const lines: { text: string; length: number }[] = [];
  for (const [index, { name, bytes }] of segments.entries()) {
    const length = `x ${name} ${formatSize(bytes)}`.length;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + length <= width) {
      last.text += `  ${painted[index]}`;
      last.length += 2 + length;
    } else lines.push({ text: painted[index] ?? '', length });
  }
  return lines.map(({ text }) => text);
}

/** What the picture shows, for those who hear it. */
function inWords(segments: readonly Segment[], budgetEnd: number, wholeBytes: number, width: number): string[] {
  const fixed = segments.filter(({ name }) => name !== GROWTH).reduce((sum, { bytes }) => sum + bytes, 0);
  const rest = budgetEnd - fixed;
  const growth = segments.find(({ name }) => name === GROWTH)?.bytes ?? 0;
  const grows = growth > 0 ? `, and can grow by ${formatSize(growth)}` : '';
  const room = rest >= 0 ? `${formatSize(rest)} below` : `${formatSize(-rest)} above`;
  const text = `In words: ${formatSize(fixed)} of ${formatSize(wholeBytes)} taken${grows}; that is ${room} the budget's end at ${formatSize(budgetEnd)}.`;
  return wrapWords(text.split(' '), width);
}
