import type { GrowthPart } from '../../estimate/memory-estimate.js';
import { COMFORTABLE_SHARE, tightness, type Tightness } from '../../preflight/judge/tightness.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { headroomBytes } from '../../preflight/judge/verdict.js';
import { printable } from '../../printable.js';
import { formatSize } from './bytes.js';
import { limitLabel } from './limit-label.js';
import { growthLabel } from './part-labels.js';

type Judged = Pick<MemoryCheck, 'verdict' | 'programs' | 'remedy'>;

/** Everything a person should know beside the verdict, a sentence each: first what makes it tight. */
export function warningsOf(check: Judged): readonly string[] {
  return [...tightnessOf(check), ...check.verdict.warnings];
}

/** What can push a tight fit over, and by how much. */
export function tightnessOf({ verdict, programs = [], remedy }: Judged): readonly string[] {
  if (verdict.kind !== 'tight') return [];
  return tightness(verdict.limits, verdict.estimate.growth).map((cause) => tightnessText(cause, programs, remedy));
}

function tightnessText(
  cause: Tightness,
  programs: NonNullable<MemoryCheck['programs']>,
  remedy: MemoryCheck['remedy'],
): string {
  switch (cause.reason) {
    case 'others': {
      const most = programs.map(({ name, bytes }) => `${printable(name)} ${formatSize(bytes)}`).join(', ');
      const held = most === '' ? '' : ` (most is held by: ${most})`;
      return `other programs would have to give up ${formatSize(cause.giveUpBytes)} of the ${formatSize(cause.idleBytes)} that they do not use at the moment, by compression or swap${held}`;
    }
    case 'headroom': {
      const { limit } = cause;
      const percent = Math.floor((headroomBytes(limit) / limit.budget.bytes) * 1000) / 10;
      return `only ${formatSize(headroomBytes(limit))} (${percent} %) of the ${limitLabel(limit)} budget is left, less than ${COMFORTABLE_SHARE * 100} %`;
    }
    case 'growth': {
      const names = [...bytesByLabel(cause.growth)].map(([label, maxBytes]) => `${label} (${upTo(maxBytes)})`);
      const over = Number.isFinite(cause.overBytes)
        ? `${formatSize(cause.overBytes)} over the budget`
        : 'over any budget';
      return `${names.join(' and ')} can grow after start-up and push it ${over}${mend(cause, remedy)}`;
    }
  }
}

function bytesByLabel(growth: readonly GrowthPart[]): ReadonlyMap<string, number> {
  const bytesOf = new Map<string, number>();
  for (const part of growth) {
    const label = growthLabel(part);
    bytesOf.set(label, (bytesOf.get(label) ?? 0) + part.maxBytes);
  }
  return bytesOf;
}

/** Nothing where nobody has looked for it. */
function mend({ cacheRamMiB }: Extract<Tightness, { reason: 'growth' }>, remedy: MemoryCheck['remedy']): string {
  const flags = cacheRamMiB === undefined ? remedy : [`--cache-ram ${cacheRamMiB}`];
  if (flags === undefined) return '';
  if (flags.length === 0) return '; only a smaller model or more memory leaves room for that';
  return `; ${flags.join(' and ')} ${flags.length > 1 ? 'keep' : 'keeps'} it within`;
}

function upTo(maxBytes: number): string {
  return Number.isFinite(maxBytes) ? `up to ${formatSize(maxBytes)}` : 'without limit';
}
