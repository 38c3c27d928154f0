import type { GrowthPart } from '../estimate/memory-estimate.js';
import { COMFORTABLE_SHARE, tightness, type Tightness } from '../preflight/tightness.js';
import { headroomBytes, type LimitCheck, type Verdict } from '../preflight/verdict.js';
import { formatSize } from './bytes.js';
import { growthLabel } from './part-labels.js';

const GROWTH_OPTIONS: Readonly<Partial<Record<GrowthPart['name'], string>>> = {
  'prompt-cache': '--cache-ram',
  'context-checkpoints': '--ctx-checkpoints',
};

interface Judged {
  readonly verdict: Verdict;
}

/** Everything a person should know beside the verdict, a sentence each: first what makes it tight. */
export function warningsOf(check: Judged): readonly string[] {
  return [...tightnessOf(check), ...check.verdict.warnings];
}

/** What can push a tight fit over, and by how much. */
export function tightnessOf({ verdict }: Judged): readonly string[] {
  if (verdict.kind !== 'tight') return [];
  return tightness(verdict.limits, verdict.estimate.growth).map(tightnessText);
}

function tightnessText(cause: Tightness): string {
  if (cause.reason === 'headroom') {
    const { limit } = cause;
    const percent = Math.floor((headroomBytes(limit) / limit.budget.bytes) * 1000) / 10;
    return `only ${formatSize(headroomBytes(limit))} (${percent} %) of the ${limitName(limit)} budget is left, less than ${COMFORTABLE_SHARE * 100} %`;
  }
  const bytesOf = new Map<string, number>();
  for (const part of cause.growth) {
    const label = growthLabel(part);
    bytesOf.set(label, (bytesOf.get(label) ?? 0) + part.maxBytes);
  }
  const names = [...bytesOf].map(([label, maxBytes]) => `${label} (${upTo(maxBytes)})`);
  const options = [...new Set(cause.growth.flatMap((part) => optionFor(part) ?? []))];
  const over = Number.isFinite(cause.overBytes) ? `${formatSize(cause.overBytes)} over the budget` : 'over any budget';
  const remedy = options.length > 0 ? `; ${options.join(' and ')} limit${options.length > 1 ? '' : 's'} that` : '';
  return `${names.join(' and ')} can grow after start-up and push it ${over}${remedy}`;
}

function optionFor({ name, of }: GrowthPart): string | undefined {
  return of === 'projector' ? '--image-max-tokens' : GROWTH_OPTIONS[name];
}

function limitName({ name }: LimitCheck): string {
  return name === 'gpu' ? 'GPU' : 'memory';
}

function upTo(maxBytes: number): string {
  return Number.isFinite(maxBytes) ? `up to ${formatSize(maxBytes)}` : 'without limit';
}
