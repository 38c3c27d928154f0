import { UsageError } from '../../errors.js';
import { ALL_GPU_LAYERS, AUTO_GPU_LAYERS, CACHE_TYPES, type CacheType } from '../launch-options.js';

/*
 * What llama-server reads the values of its options as: `common/arg.cpp` of llama.cpp v0.5.0. Errors say what is wrong with a value; whoever
 * reads an option puts its name before that.
 */

const MAX_INT = 2 ** 31 - 1;
const TRUE_WORDS: readonly string[] = ['on', 'enabled', 'true', '1'];
const FALSE_WORDS: readonly string[] = ['off', 'disabled', 'false', '0'];
const AUTO_WORDS: readonly string[] = ['auto', '-1'];

export function isTrueWord(value: string): boolean {
  return TRUE_WORDS.includes(value);
}

export function onOrOff(value: string): boolean {
  if (TRUE_WORDS.includes(value)) return true;
  if (FALSE_WORDS.includes(value)) return false;
  throw invalid(`expects on or off, not "${value}"`);
}

export function onOffOrAuto(value: string): 'on' | 'off' | 'auto' {
  if (TRUE_WORDS.includes(value)) return 'on';
  if (FALSE_WORDS.includes(value)) return 'off';
  if (AUTO_WORDS.includes(value)) return 'auto';
  throw invalid(`expects on, off or auto, not "${value}"`);
}

/** As `std::stoi` reads it, without what it would leave unread. */
export function integer(value: string): number {
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw invalid(`expects a number, not "${value}"`);
  if (number > MAX_INT || number < -MAX_INT - 1) throw invalid(`takes no number beyond ${MAX_INT}, and ${value} is`);
  return number;
}

/** Of counts, which llama-server refuses below 0, or takes for 2^32 more. */
export function notNegative(count: number): number {
  if (count < 0) throw invalid(`takes no number below 0, and ${count} is`);
  return count;
}

export function notZero(value: number): number {
  if (value === 0) throw invalid('cannot be 0');
  return value;
}

export function layersOnGpu(value: string): number {
  if (value === 'all') return ALL_GPU_LAYERS;
  return value === 'auto' ? AUTO_GPU_LAYERS : integer(value);
}

export function cacheType(value: string): CacheType {
  const known = CACHE_TYPES.find((type) => type === value);
  if (known === undefined) throw invalid(`expects one of ${CACHE_TYPES.join(', ')}, not "${value}"`);
  return known;
}

export function invalid(problem: string): UsageError {
  return new UsageError('INVALID_SERVER_OPTION', problem);
}
