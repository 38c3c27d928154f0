import { CheckIncompleteError, LlmkubeError } from '../../errors.js';
import { TOO_LARGE } from '../../estimate/context/graph-capacity.js';
import { type MemoryEstimate, totalBytes } from '../../estimate/memory-estimate.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';

/** What makes a graph smaller: caches that need not be rotated, and one of them for all slots. */
const REMEDIES: readonly (readonly [flags: string, patch: Partial<LaunchOptions>])[] = [
  ['--kv-unified', { kvUnified: true }],
  ['--cache-type-v f16', { cacheTypeV: 'f16' }],
  ['--cache-type-k f16', { cacheTypeK: 'f16' }],
];
const WHOLE = ['--cache-type-k f16 --cache-type-v f16', { cacheTypeK: 'f16', cacheTypeV: 'f16' }] as const;
const MOST = 2;

interface Sized {
  readonly estimate: MemoryEstimate;
}

/**
 * What `size` makes of a launch.
 * @throws what it throws; of a graph that is too large for llama.cpp, with what makes it small enough, where something does
 */
export function sizedOrRemedied<T extends Sized>(launch: LaunchOptions, size: (launch: LaunchOptions) => T): T {
  try {
    return size(launch);
  } catch (error) {
    if (!(error instanceof CheckIncompleteError) || error.code !== TOO_LARGE) throw error;
    const found = remedies(launch, size);
    if (found.length === 0) throw error;
    throw new CheckIncompleteError(error.code, error.message, {
      cause: error,
      suggestions: [`use ${found.join(' or ')}`],
    });
  }
}

/** The smallest first. What takes more than caches that are not quantized saves nothing: one alone may turn flash attention off. */
function remedies(launch: LaunchOptions, size: (launch: LaunchOptions) => Sized): readonly string[] {
  const most = sizeOf({ ...launch, ...WHOLE[1] }, size) ?? Infinity;
  const smaller = REMEDIES.flatMap(([flags, patch]) => {
    const bytes = sizeOf({ ...launch, ...patch }, size);
    return bytes === undefined || bytes >= most ? [] : [{ flags, bytes }];
  });
  smaller.sort((a, b) => a.bytes - b.bytes);
  const whole = most === Infinity ? [] : [WHOLE[0]];
  return [...smaller.map(({ flags }) => flags), ...whole].slice(0, MOST);
}

function sizeOf(launch: LaunchOptions, size: (launch: LaunchOptions) => Sized): number | undefined {
  try {
    return totalBytes(size(launch).estimate);
  } catch (error) {
    if (!(error instanceof LlmkubeError)) throw error;
    return undefined;
  }
}
