import { COMFORTABLE_SHARE, tightness, type Tightness } from '../preflight/tightness.js';
import { headroomBytes, type LimitCheck, type Verdict } from '../preflight/verdict.js';
import { formatSize } from './bytes.js';

const GROWTH_NAMES = { 'prompt-cache': 'the prompt cache', 'context-checkpoints': 'context checkpoints' } as const;
const GROWTH_OPTIONS = { 'prompt-cache': '--cache-ram', 'context-checkpoints': '--ctx-checkpoints' } as const;

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
  const names = cause.growth.map(({ name, maxBytes }) => `${GROWTH_NAMES[name]} (${upTo(maxBytes)})`);
  const options = cause.growth.map(({ name }) => GROWTH_OPTIONS[name]);
  const over = Number.isFinite(cause.overBytes) ? `${formatSize(cause.overBytes)} over the budget` : 'over any budget';
  return `${names.join(' and ')} can grow after start-up and push it ${over}; ${options.join(' and ')} limit${options.length > 1 ? '' : 's'} that`;
}

function limitName({ name }: LimitCheck): string {
  return name === 'gpu' ? 'GPU' : 'memory';
}

function upTo(maxBytes: number): string {
  return Number.isFinite(maxBytes) ? `up to ${formatSize(maxBytes)}` : 'without limit';
}
