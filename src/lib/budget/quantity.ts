import { UsageError } from '../errors.js';
import { table } from '../table.js';

/**
 * Bytes per unit. Without a `B`, as Kubernetes reads them (`Gi` binary, `G` decimal); with a `B`, as this program and
 * Macs use them: `24GB` is 24 × 2^30.
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

const QUANTITY = /^(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([A-Za-z]*)$/;
const SMALLEST_SENSIBLE_BYTES = 2 ** 20;

/**
 * Bytes of an amount of memory such as `24Gi`, `3.4Gi`, `24G`, `24GB` or plain bytes, rounded down to a whole byte.
 * @param what names the value in the error, such as `--memory-budget`.
 * @throws UsageError INVALID_QUANTITY
 */
export function parseQuantity(text: string, what: string): number {
  const match = QUANTITY.exec(text.trim());
  const unitBytes = UNIT_BYTES[match?.[2] ?? '?'];
  const bytes = Math.floor(Number(match?.[1]) * (unitBytes ?? Number.NaN));
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
