import type { Repeats } from '../ggml/repeats/settled-allocation.js';

/** Models have no longer ones. */
const LONGEST_PERIOD = 16;
/** What is gone through before others are left out, since what is placed in the first ones differs: periods, and at least so many layers. */
const SETTLED_AFTER = { periods: 2, layers: 4 };

/** Layers that do what those before them did, of each run of layers whose groups come again and again; none of them is planned. */
export function repeatsAmong(groups: readonly number[], planned: readonly number[], reach: number): Repeats[] {
  const found: Repeats[] = [];
  for (let start = 0; start < groups.length;) {
    const run = longestRun(groups, start);
    const repeats = run && repeatsOf(start, run, planned, reach);
    if (repeats) found.push(repeats);
    start = repeats ? run.end : start + 1;
  }
  return found;
}

interface Run {
  readonly end: number;
  readonly period: number;
}

/** From a layer on, with the shortest period that makes it as long. */
function longestRun(groups: readonly number[], start: number): Run | null {
  let longest: Run | null = null;
  for (let period = 1; period <= LONGEST_PERIOD; period++) {
    let end = start + period;
    while (end < groups.length && groups[end] === groups[end - period]) end++;
    if (end - start >= 2 * period && end > (longest?.end ?? 0)) longest = { end, period };
  }
  return longest;
}

function repeatsOf(
  first: number,
  { end: last, period }: Run,
  planned: readonly number[],
  reach: number,
): Repeats | null {
  const margin = Math.max(period, Math.ceil(reach / period) * period);
  const settling = Math.max(SETTLED_AFTER.periods * period, SETTLED_AFTER.layers);
  const atLeast = first + settling + margin;
  const latest = last - period - margin;
  const start = Math.max(
    atLeast,
    ...planned.filter((layer) => layer < latest && layer >= first).map((layer) => layer + 1),
  );
  const periods = Math.floor((latest - start) / period / 2) * 2;
  return periods > 0 ? { start, end: start + periods * period, period, reach } : null;
}
