import type { ChalkInstance } from 'chalk';
import type { HostMemory } from '../../host/host-memory.js';
import { neededParts } from '../../estimate/memory-estimate.js';
import { growthUnder } from '../../preflight/judge/tightness.js';
import type { CompletedVerdict } from '../../preflight/judge/verdict.js';
import { formatSize } from '../words/bytes.js';
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
 * One bar to scale: the machine's memory with what is in use, what the launch takes, and what it can still grow by; a
 * mark below where the budget ends; and all of it in words. Each kind has a glyph of its own, so no colour is needed.
 */
export function memoryBar(verdict: CompletedVerdict, host: HostMemory, width: number, colors: ChalkInstance): string {
  const segments = segmentsOf(verdict, host);
  const limit = verdict.limits.find(({ name }) => name === 'memory');
  const isFraction = limit?.budget.kind === 'fraction';
  const budgetEnd = (limit?.budget.bytes ?? 0) + (isFraction ? taken(host) : 0);
  const wholeBytes = isFraction ? host.totalBytes : budgetEnd;
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
function taken({ inUseBytes, promisedBytes }: HostMemory): number {
  return inUseBytes + (promisedBytes ?? 0);
}

function segmentsOf({ estimate, limits }: CompletedVerdict, host: HostMemory): readonly Segment[] {
  const limit = limits.find(({ name }) => name === 'memory');
  const isFraction = limit?.budget.kind === 'fraction';
  const isHostOnly = host.gpus !== undefined && host.unifiedMemory !== true;
  const sum = (names: readonly string[]): number =>
    neededParts(estimate)
      .filter(({ name, device }) => names.includes(name) && !(isHostOnly && device === 'gpu'))
      .reduce((total, { bytes }) => total + bytes, 0);
  const grows = limit === undefined ? estimate.growth : growthUnder(limit, estimate.growth);
  const growth = grows.reduce((total, { maxBytes }) => total + (Number.isFinite(maxBytes) ? maxBytes : 0), 0);
  const all: readonly Segment[] = [
    { name: 'in use', glyph: '░', color: 'white', bytes: isFraction ? taken(host) : 0 },
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
