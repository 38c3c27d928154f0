import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { leastLeft, type Measure, type Trials } from './trials.js';
import { CONTEXT_STEP } from '../../runtime/server-defaults.js';

/** So many guesses are tried before what is left is halved. */
const MOST_GUESSES = 5;

/** A launch of a model, by a number. */
type Numbered = (count: number) => { readonly shape: ModelShape; readonly launch: LaunchOptions };

interface Holding {
  readonly measure: Measure;
  /** Of what a launch takes beside the parts that need no graph, what one with the next number takes at the least. */
  readonly steadyShare: number;
}

/**
 * The largest context between two bounds (tokens, multiples of 256) that fits: it fits, and 256 tokens more do not, unless it
 * is the upper bound. `spareShare` of each budget is kept free. Undefined when not even the lower bound fits.
 */
export function largestContext(
  trials: Trials,
  shape: ModelShape,
  launch: LaunchOptions,
  bounds: { readonly least: number; readonly most: number; readonly spareShare?: number },
): number | undefined {
  const { least, most, spareShare = 0 } = bounds;
  const steps = largestFitting(
    trials,
    (count) => ({ shape, launch: { ...launch, ctxSize: count * CONTEXT_STEP } }),
    Math.ceil(least / CONTEXT_STEP),
    Math.floor(most / CONTEXT_STEP),
    // Compute buffers do not become smaller for a longer context.
    { measure: leastLeft(spareShare), steadyShare: 1 },
  );
  return steps === undefined ? undefined : steps * CONTEXT_STEP;
}

/**
 * A whole number from `low` to `high` whose launch fits while one more does not, or `high`; undefined when there is none. What cannot
 * fit without its graph is not planned, and of the rest first what is likely.
 */
export function largestFitting(
  trials: Trials,
  numbered: Numbered,
  low: number,
  high: number,
  { measure, steadyShare }: Holding,
): number | undefined {
  const measured = (count: number, headroom: 'headroom' | 'headroomAtMost' | 'likelyHeadroom'): number => {
    const { shape, launch } = numbered(count);
    return trials[headroom](shape, launch, measure) ?? -Infinity;
  };
  const value = (count: number): number => {
    const { shape, launch } = numbered(count);
    return trials.canFit(shape, launch, measure) ? measured(count, 'headroom') : -Infinity;
  };
  const atMost = (count: number): number => measured(count, 'headroomAtMost');
  const likely = (count: number): number => measured(count, 'likelyHeadroom');
  if (high < low) return undefined;
  const first = numbered(low);
  if (trials.leastLimits(first.shape, first.launch) === undefined) return largestNotNegative(value, low, high);
  if (atMost(low) < 0) return undefined;
  let [fitting, failing, missing] = [low - 1, high + 1, 0];
  for (let guesses = 0; failing - fitting > 1; guesses++) {
    if (fitting >= low && atMost(fitting + 1) < missing * steadyShare) break;
    const [from, to] = [fitting + 1, failing - 1];
    const guess = guesses < MOST_GUESSES ? (largestNotNegative(likely, from, to) ?? from) : Math.floor((from + to) / 2);
    const found = value(guess);
    if (found < 0) failing = guess;
    else [fitting, missing] = [guess, atMost(guess) - found];
  }
  return fitting < low ? undefined : fitting;
}

/**
 * The same of a value that is quickly worked out: it falls nearly in a line, so where the line through the ends crosses zero is tried
 * first, and the middle next, so that it ends soon whatever the value does.
 */
function largestNotNegative(value: (at: number) => number, low: number, high: number): number | undefined {
  const ends = { low, high, atLow: high < low ? -1 : value(low), atHigh: 0 };
  if (ends.atLow < 0) return undefined;
  ends.atHigh = value(high);
  if (ends.atHigh >= 0) return high;
  const narrow = (at: number): void => {
    if (at <= ends.low || at >= ends.high) return;
    const found = value(at);
    if (found >= 0) [ends.low, ends.atLow] = [at, found];
    else [ends.high, ends.atHigh] = [at, found];
  };
  while (ends.high - ends.low > 1) {
    const share = ends.atLow / (ends.atLow - ends.atHigh);
    const crossing = Math.floor(ends.low + share * (ends.high - ends.low));
    narrow(crossing);
    narrow(crossing + 1);
    narrow(Math.floor((ends.low + ends.high) / 2));
  }
  return ends.low;
}

/**
 * The largest whole number from `low` to `high` of which something holds that holds of all below; undefined where it does not of `low`.
 * @param isLikely the same, but quickly told and not for sure: tried first is the largest of which it holds, by what was learned up to then
 */
export function largestOfWhich(
  holds: (at: number) => boolean,
  low: number,
  high: number,
  isLikely?: (at: number) => boolean,
): number | undefined {
  let [held, beyond] = [low - 1, high + 1];
  const narrow = (at: number): void => {
    if (at <= held || at >= beyond) return;
    if (holds(at)) held = at;
    else beyond = at;
  };
  for (let guesses = 0; isLikely && beyond - held > 1 && guesses < MOST_GUESSES; guesses++)
    narrow(largestOfWhich(isLikely, held + 1, beyond - 1) ?? held + 1);
  narrow(low);
  if (held < low) return undefined;
  while (beyond - held > 1) narrow(Math.floor((held + beyond) / 2));
  return held;
}
