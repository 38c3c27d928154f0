import * as Flags from '@oclif/core/flags';
import { UsageError } from '../../../errors.js';

/** What llama-server and the LLMKube API keep a number in. */
const MAX_INT = 2 ** 31 - 1;

interface WholeNumberOptions {
  readonly min?: number;
  readonly max?: number;
  /** `8k` is 8 × 1024. */
  readonly thousands?: boolean;
  /** -1 leaves the choice to llama-server, as not saying anything does. */
  readonly orAuto?: boolean;
}

/** A flag for a whole number from `min` (0) to `max` (2^31 − 1). */
export function wholeNumber({ min = 0, max = MAX_INT, thousands = false, orAuto = false }: WholeNumberOptions) {
  return Flags.custom<number>({
    parse: async (input, _context, { name }) => parseWholeNumber(input, `--${name}`, { min, max, thousands, orAuto }),
  });
}

/** The same number for each device, or one for each in a list, in either of llama-server's spellings. */
export function wholeNumbers() {
  const one = { min: 0, max: MAX_INT, thousands: false, orAuto: false };
  return Flags.custom<number | readonly number[]>({
    parse: async (input, _context, { name }) => {
      const numbers = input.split(/[,/]/).map((text) => parseWholeNumber(text, `--${name}`, one));
      return numbers.length === 1 ? (numbers[0] ?? 0) : numbers;
    },
  });
}

/** @throws UsageError INVALID_NUMBER */
function parseWholeNumber(
  text: string,
  what: string,
  { min, max, thousands, orAuto }: Required<WholeNumberOptions>,
): number {
  const [, digits, unit] = /^([+-]?\d+)([kK]?)$/.exec(text.trim()) ?? [];
  if (digits === undefined || (unit !== '' && !thousands)) {
    throw new UsageError('INVALID_NUMBER', `${what} "${text}" is not a whole number`, {
      suggestions: [thousands ? 'write it like 8192 or 8k' : 'write it like 4'],
    });
  }
  const number = Number(digits) * (unit === '' ? 1 : 1024);
  if ((number >= min && number <= max) || (orAuto && number === -1)) return number;
  const range = `from ${min} to ${max}`;
  throw new UsageError('INVALID_NUMBER', `${what} ${text} is ${orAuto ? `neither ${range} nor -1` : `not ${range}`}`);
}
