import {
  type DeviceLayers,
  falsePosition,
  type LayerSplit,
  type MeasuredSplit,
  type MeasureSplit,
  type Overflow,
} from './layer-split.js';

/** A measured split, and the first device that still has layers without experts. */
interface Conversion extends MeasuredSplit {
  readonly denseFrom: number;
}

/**
 * Step 4 of `common_params_fit_impl` (`common/fit.cpp`, llama.cpp v0.5.0): layers without experts at the back become whole
 * ones at the front until each device is full, and then parts of one more are tried.
 */
export function convertToWholeLayers(
  targets: readonly number[],
  measure: MeasureSplit,
  start: MeasuredSplit,
): MeasuredSplit {
  const occupied = start.split.findIndex((_, i) => start.split.slice(i).every(({ layers }) => layers > 0));
  let current: Conversion = { ...start, denseFrom: occupied };
  for (let device = 0; device <= current.denseFrom && current.denseFrom < start.split.length; device++) {
    current = fillWithWholeLayers(targets, measure, current, device);
    current = tryOneMore(targets, measure, current, device);
  }
  return current;
}

function fillWithWholeLayers(
  targets: readonly number[],
  measure: MeasureSplit,
  start: Conversion,
  device: number,
): Conversion {
  const last = start.split.length - 1;
  const target = targets[device] ?? 0;
  let high: Conversion = { ...measure(allWhole(start.split, device, start.denseFrom)), denseFrom: last };
  if ((high.bytes[device] ?? 0) <= target) return high;
  let low = start;
  for (let delta = wholeOn(high, device) - wholeOn(low, device); delta > 1;) {
    const step = falsePosition(delta, target, low.bytes[device] ?? 0, high.bytes[device] ?? 0);
    const { split, denseFrom } = converted(low, device, step);
    const tried: Conversion = { ...measure(split), denseFrom };
    if ((tried.bytes[device] ?? 0) <= target) low = tried;
    else high = tried;
    delta = wholeOn(high, device) - wholeOn(low, device);
  }
  return low;
}

/** Everything that is not whole moves to one device; the last keeps the output head. */
function allWhole(split: LayerSplit, device: number, denseFrom: number): LayerSplit {
  const last = split.length - 1;
  const result = split.map((each) => ({ ...each }));
  for (let from = denseFrom; from <= last; from++) {
    const source = result[from] as DeviceLayers;
    const moved = source.layers - (from < last ? 0 : 1);
    result[device] = { ...(result[device] as DeviceLayers), layers: (result[device]?.layers ?? 0) + moved };
    const rest = result[from] as DeviceLayers;
    result[from] = { ...rest, layers: rest.layers - moved, partial: 0 };
  }
  return result;
}

function converted(
  { split, denseFrom }: Conversion,
  device: number,
  step: number,
): { readonly split: LayerSplit; readonly denseFrom: number } {
  const result = split.map((each) => ({ ...each }));
  let left = step;
  let from = denseFrom;
  for (; from < result.length; from++) {
    const source = result[from] as DeviceLayers;
    const moved = Math.min(left, source.partial);
    result[from] = { ...source, layers: source.layers - moved, partial: source.partial - moved };
    const own = result[device] as DeviceLayers;
    result[device] = { ...own, layers: own.layers + moved };
    left -= moved;
    if ((result[from]?.partial ?? 0) > 0) break;
  }
  return { split: result, denseFrom: from };
}

/** Attention and up of one more layer, then its gate too; or its attention alone. */
function tryOneMore(
  targets: readonly number[],
  measure: MeasureSplit,
  current: Conversion,
  device: number,
): Conversion {
  const { split, denseFrom } = current;
  const last = split.length - 1;
  if ((split[denseFrom]?.layers ?? 0) <= (device < last ? 0 : 1)) return current;
  const attempt = (overflow: Overflow, overflowsToNext: boolean): Conversion => {
    const result = split.map((each) => ({ ...each }));
    const source = result[denseFrom] as DeviceLayers;
    result[denseFrom] = { ...source, layers: source.layers - 1, partial: source.partial - 1 };
    const own = result[device] as DeviceLayers;
    result[device] = { layers: own.layers + 1, partial: own.partial + 1, overflow, overflowsToNext };
    const isUsedUp = result[denseFrom].partial === 0;
    return { ...measure(result), denseFrom: isUsedUp ? denseFrom + 1 : denseFrom };
  };
  const fits = ({ bytes }: Conversion): boolean =>
    (bytes[device] ?? 0) < (targets[device] ?? 0) &&
    (device === last || (bytes[device + 1] ?? 0) < (targets[device + 1] ?? 0));

  const withUp = attempt('up-stays', device < last);
  if (fits(withUp)) {
    const withGate = attempt('up-and-gate-stay', device < last);
    return fits(withGate) ? withGate : withUp;
  }
  const withAttention = attempt('attention-stays', device < last);
  return fits(withAttention) ? withAttention : current;
}

function wholeOn({ split }: MeasuredSplit, device: number): number {
  const { layers = 0, partial = 0 } = split[device] ?? {};
  return layers - partial;
}
