import { setFlagsFromString } from 'node:v8';

/**
 * Runs what is over in a fraction of a second without V8's optimizing compiler, which then takes more than it gives: some
 * twenty estimates need two fifths of the CPU time, and three fifths of the wall time.
 */
export async function withoutOptimizer<T>(work: () => Promise<T>): Promise<T> {
  setFlagsFromString('--no-opt');
  try {
    return await work();
  } finally {
    setFlagsFromString('--opt');
  }
}
