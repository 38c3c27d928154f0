import {
  gpuOf,
  type GrowthPart,
  type MemoryEstimate,
  neededParts,
  type PartName,
} from '../estimate/memory-estimate.js';
import { growthUnder } from '../preflight/judge/tightness.js';
import type { LimitCheck } from '../preflight/judge/verdict.js';
import { explainBudget } from '../report/words/budget-text.js';
import { formatSize } from '../report/words/bytes.js';
import { limitLabel } from '../report/words/limit-label.js';
import { growthLabel, partLabel } from '../report/words/part-labels.js';
import { escapeHtml } from './html.js';

type SegmentKind = 'in-use' | 'weights' | 'kv' | 'recurrent' | 'compute' | 'output' | 'overhead' | 'growth';

interface Segment {
  readonly kind: SegmentKind;
  readonly label: string;
  /** Infinity for growth without a bound. */
  readonly bytes: number;
}

const KINDS: Readonly<Record<PartName, SegmentKind>> = {
  weights: 'weights',
  'weights-unread': 'weights',
  'weights-copy': 'weights',
  'kv-cache': 'kv',
  'recurrent-state': 'recurrent',
  'expert-cache': 'weights',
  compute: 'compute',
  output: 'output',
  'runtime-overhead': 'overhead',
  loading: 'overhead',
};

/** A bar is a little longer than what fills it; what can grow beyond its end is cut off there. */
const ROOM_TO_GROW = 1.15;

/** One limit to scale: what is in use, each part, what can still grow, and where the budget ends. */
export function memoryBarHtml(limit: LimitCheck, estimate: MemoryEstimate, discrete: boolean): string {
  const { budget } = limit;
  const segments = segmentsOf(limit, estimate, discrete);
  const certain = segments.filter(({ kind }) => kind !== 'growth').reduce((sum, { bytes }) => sum + bytes, 0);
  const endBytes = budgetEnd(limit);
  const totalBytes = 'totalBytes' in budget ? budget.totalBytes : endBytes;
  const scaleBytes = Math.max(totalBytes, certain * ROOM_TO_GROW, 1);
  const percent = (bytes: number): string => `${((Math.max(0, bytes) / scaleBytes) * 100).toFixed(3)}%`;

  let startBytes = 0;
  const drawn = segments.map(({ kind, label, bytes }) => {
    const width = Math.min(bytes, scaleBytes - startBytes);
    const left = startBytes;
    startBytes += width;
    return `<span class="segment ${kind}" style="left:${percent(left)};width:${percent(width)}" title="${escapeHtml(label)} ${sizeOf(bytes)}"></span>`;
  });
  const title = limit.name === 'gpu' ? `${limitLabel(limit)} memory` : discrete ? 'Host memory' : 'Memory';
  const amounts = `needs ${formatSize(limit.requiredBytes)}, the budget is ${formatSize(Math.max(0, budget.bytes))}`;
  const inUse = segments.some(({ kind }) => kind === 'in-use') ? ', in use included' : '';
  const spoken = segments.map(({ label, bytes }) => `${label} ${sizeOf(bytes)}`).join(', ');
  const end = Math.min(endBytes, scaleBytes);
  return `<figure class="memory">
<figcaption><strong>${title}: ${amounts}</strong> <span class="quiet">${escapeHtml(explainBudget(budget))}</span></figcaption>
<div class="bar" role="img" aria-label="${escapeHtml(`${title}: ${spoken}; the budget ends at ${formatSize(Math.max(0, endBytes))}`)}">
${drawn.join('')}<span class="end" style="left:${percent(end)}"></span>
</div>
<div class="scale" aria-hidden="true"><span>0</span><span class="end-label ${endSide(end / scaleBytes)}" style="left:${percent(end)}">budget ends ${formatSize(Math.max(0, endBytes))}${inUse}</span></div>
<ul class="legend">${segments.map(legendItem).join('')}</ul>
</figure>`;
}

/** Near an end of the bar the label stands beside the mark rather than under it. */
function endSide(share: number): string {
  if (share > 0.8) return 'late';
  return share < 0.2 ? 'early' : '';
}

function legendItem({ kind, label, bytes }: Segment): string {
  return `<li><span class="swatch ${kind}" aria-hidden="true"></span>${escapeHtml(label)} <b>${sizeOf(bytes)}</b></li>`;
}

function segmentsOf(limit: LimitCheck, estimate: MemoryEstimate, discrete: boolean): Segment[] {
  const { name, gpu, budget } = limit;
  const inUse = 'inUseBytes' in budget && budget.inUseBytes > 0 ? budget.inUseBytes : 0;
  const parts = neededParts(estimate)
    .filter(({ device }) => (name === 'gpu' ? device === 'gpu' : !discrete || device === 'host'))
    .filter((part) => gpu === undefined || gpuOf(part) === gpu)
    .map((part): Segment => ({ kind: KINDS[part.name], label: partLabel(part), bytes: part.bytes }));
  const growth = joined(growthUnder(limit, estimate.growth).map(growthSegment));
  const used: Segment[] = inUse > 0 ? [{ kind: 'in-use', label: 'in use', bytes: inUse }] : [];
  return [...used, ...joined(parts), ...growth];
}

/** The same part on GPU and host is one segment where both count. */
function joined(parts: readonly Segment[]): Segment[] {
  const byLabel = new Map<string, Segment>();
  for (const part of parts) {
    byLabel.set(part.label, { ...part, bytes: part.bytes + (byLabel.get(part.label)?.bytes ?? 0) });
  }
  return [...byLabel.values()];
}

function growthSegment(growth: GrowthPart): Segment {
  return { kind: 'growth', label: `${growthLabel(growth)}, later`, bytes: growth.maxBytes };
}

/** Where the budget ends, counted from the start of the bar, in-use included. */
function budgetEnd({ budget }: LimitCheck): number {
  return 'inUseBytes' in budget ? budget.bytes + budget.inUseBytes : budget.bytes;
}

function sizeOf(bytes: number): string {
  return Number.isFinite(bytes) ? formatSize(bytes) : 'without limit';
}
