import { limitLabel } from '../report/words/limit-label.js';
import { formatSize } from '../report/words/bytes.js';
import type { Curve, CurvePoint } from './curve.js';
import { escapeHtml } from './html.js';

const GIB = 2 ** 30;
const HEIGHT = 260;
const MARGIN = { left: 48, right: 14, top: 22, bottom: 40 };
const Y_TICKS = 5;
const VERDICTS: Readonly<Record<CurvePoint['kind'], string>> = {
  fits: 'fits',
  tight: 'tight',
  'does-not-fit': 'does not fit',
};

/** Memory by context as a line, the budget as another, the chosen context marked; and the same as a table. */
export function contextChartHtml(curve: Curve, chosen: number, width: number): string {
  const { points, limit } = curve;
  const last = points.at(-1);
  if (last === undefined) return '';
  const budgetBytes = Math.max(0, limit.budget.bytes);
  const top = niceCeiling(Math.max(budgetBytes, ...points.map(({ requiredBytes }) => requiredBytes)) * 1.05);
  const x = (context: number): number => MARGIN.left + (context / last.context) * (width - MARGIN.left - MARGIN.right);
  const y = (bytes: number): number => HEIGHT - MARGIN.bottom - (bytes / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const path = points.map(({ context, requiredBytes }) => `${round(x(context))},${round(y(requiredBytes))}`).join(' ');
  const marked = points.find(({ context }) => context >= chosen) ?? last;
  const [left, right] = [x(0), round(x(last.context))];
  const budgetY = round(y(budgetBytes));
  return `<figure>
<svg viewBox="0 0 ${width} ${HEIGHT}" width="${width}" height="${HEIGHT}" role="img" aria-labelledby="chart-title">
<title id="chart-title">${escapeHtml(spoken(curve, marked))}</title>
${gridLines(top, y, left, right)}
${contextTicks(last.context, x)}
<line class="budget" x1="${left}" x2="${right}" y1="${budgetY}" y2="${budgetY}"/>
${budgetLabel(curve, budgetY, left, right)}
<polyline class="line" points="${path}"/>
<line class="chosen" x1="${round(x(marked.context))}" x2="${round(x(marked.context))}" y1="${round(y(marked.requiredBytes))}" y2="${HEIGHT - MARGIN.bottom}"/>
<circle class="${marked.kind === 'does-not-fit' ? 'dot over' : 'dot'}" cx="${round(x(marked.context))}" cy="${round(y(marked.requiredBytes))}" r="5"/>
</svg>
<figcaption>${escapeHtml(caption(curve))}</figcaption>
</figure>
<details><summary>The same as a table</summary>${tableHtml(points)}</details>`;
}

/** At the end of the chart, and on the side of the budget, that the requirement's line is not near. */
function budgetLabel({ points, limit }: Curve, y: number, left: number, right: number): string {
  const budgetBytes = Math.max(0, limit.budget.bytes);
  const [atLeft = 0, atRight = 0] = [points[0], points.at(-1)].map(
    (point) => (point?.requiredBytes ?? 0) - budgetBytes,
  );
  const onRight = Math.abs(atRight) > Math.abs(atLeft);
  const below = (onRight ? atRight : atLeft) > 0;
  const place = onRight ? `x="${right - 4}" text-anchor="end"` : `x="${left + 6}"`;
  return `<text class="budget-label" ${place} y="${below ? y + 16 : y - 6}">budget ${formatSize(budgetBytes)}</text>`;
}

function gridLines(top: number, y: (bytes: number) => number, left: number, right: number): string {
  return Array.from({ length: Y_TICKS + 1 }, (_, i) => {
    const bytes = (top * i) / Y_TICKS;
    const at = round(y(bytes));
    return `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/><text class="tick" x="${left - 6}" y="${at + 4}" text-anchor="end">${formatSize(bytes)}</text>`;
  }).join('');
}

function contextTicks(longest: number, x: (context: number) => number): string {
  const labels = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const context = longest * share;
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    return `<text class="tick" x="${round(x(context))}" y="${HEIGHT - MARGIN.bottom + 17}" text-anchor="${anchor}">${shortCount(context)}</text>`;
  });
  const middle = round(x(longest / 2));
  return `${labels.join('')}<text class="tick" x="${middle}" y="${HEIGHT - 6}" text-anchor="middle">context in tokens</text>`;
}

function tableHtml(points: readonly CurvePoint[]): string {
  const rows = points.map(
    ({ context, requiredBytes, kind }) =>
      `<tr><th scope="row">${context}</th><td>${formatSize(requiredBytes)}</td><td>${VERDICTS[kind]}</td></tr>`,
  );
  return `<table><thead><tr><th scope="col">Context</th><th scope="col">Required</th><th scope="col">Verdict</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function spoken({ limit, points }: Curve, marked: CurvePoint): string {
  const [first, last] = [points[0], points.at(-1)];
  const ends = [first, last].map((point) =>
    point === undefined ? '' : `${formatSize(point.requiredBytes)} at ${point.context} tokens`,
  );
  return `Memory by context: from ${ends.join(' to ')}. The budget is ${formatSize(Math.max(0, limit.budget.bytes))}. Chosen: ${formatSize(marked.requiredBytes)} at ${marked.context} tokens.`;
}

function caption({ limit, largest, points }: Curve): string {
  const where =
    limit.name === 'gpu'
      ? ` The line is what ${limit.gpu === undefined ? 'the GPU' : limitLabel(limit)} holds, under its own limit.`
      : '';
  if (points.every(({ kind }) => kind !== 'does-not-fit'))
    return `Every context up to ${points.at(-1)?.context ?? 0} tokens fits.${where}`;
  if (largest === 0) return `No context fits with these settings.${where}`;
  return `The longest context that fits with these settings is ${largest} tokens.${where}`;
}

function niceCeiling(bytes: number): number {
  const gigabytes = bytes / GIB / Y_TICKS;
  const magnitude = 10 ** Math.floor(Math.log10(gigabytes));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * magnitude >= gigabytes) ?? 10;
  return step * magnitude * Y_TICKS * GIB;
}

/** 32768 as `32K`. */
function shortCount(tokens: number): string {
  return tokens >= 1024 ? `${Number((tokens / 1024).toFixed(1))}K` : String(tokens);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
