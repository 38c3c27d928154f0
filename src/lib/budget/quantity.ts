import { UsageError } from '../errors.js';
import { table } from '../table.js';

/**
 * Bytes per unit. Without a `B`, as Kubernetes reads them (`Gi` binary, `G` decimal); with a `B`, or in small letters, as
 * this program, Macs and containers use them: `24GB` and `24g` are 24 × 2^30.
 */
const UNIT_BYTES = table<number>({
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
});

const SMALL_LETTERS = new Map(
  Object.entries(UNIT_BYTES).flatMap(([unit, bytes]) =>
    /B$/.test(unit) ? [[unit.toLowerCase(), bytes] as const] : [],
  ),
);
for (const [index, unit] of ['m', 'g', 't'].entries()) SMALL_LETTERS.set(unit, 2 ** (20 + 10 * index));

function unitBytes(unit: string): number {
  return UNIT_BYTES[unit] ?? SMALL_LETTERS.get(unit) ?? Number.NaN;
}

const QUANTITY = /^(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)$/;
const SMALLEST_SENSIBLE_BYTES = 2 ** 20;

/**
 * Bytes of an amount of memory such as `24Gi`, `3.4Gi`, `24G`, `24GB` or plain bytes, rounded down to a whole byte.
 * @param what names the value in the error, such as `--memory-budget`.
 * @throws UsageError INVALID_QUANTITY
 */
export function parseQuantity(text: string, what: string): number {
  const match = QUANTITY.exec(text.trim());
  const bytes = Math.floor(Number(match?.[1]) * unitBytes(match?.[2] ?? '?'));
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError('INVALID_QUANTITY', `${what} "${text}" is not an amount of memory`, {
      suggestions: ['write it like 24Gi, 3.4Gi, 24G or 24GB'],
    });
  }
  if (bytes > 0 && bytes < SMALLEST_SENSIBLE_BYTES) {
    throw new UsageError('INVALID_QUANTITY', `${what} "${text}" is only ${bytes} bytes`, {
      suggestions: [`add a unit, for example ${text.trim()}Gi`],
    });
  }
  return bytes;
}
