import { UsageError } from '../../errors.js';
import { TOO_LARGE } from '../../estimate/context/graph-capacity.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';

/** What makes a graph smaller: caches that need not be rotated, and one of them for all slots. */
const REMEDIES: readonly (readonly [flags: string, patch: Partial<LaunchOptions>])[] = [
  ['--kv-unified', { kvUnified: true }],
  ['--cache-type-v f16', { cacheTypeV: 'f16' }],
  ['--cache-type-k f16', { cacheTypeK: 'f16' }],
  ['--cache-type-k f16 --cache-type-v f16', { cacheTypeK: 'f16', cacheTypeV: 'f16' }],
];
const MOST = 2;

/**
 * What `size` makes of a launch.
 * @throws what it throws; of a graph that is too large for llama.cpp, with what makes it small enough, where something does
 */
export function sizedOrRemedied<T>(launch: LaunchOptions, size: (launch: LaunchOptions) => T): T {
  try {
    return size(launch);
  } catch (error) {
    if (!(error instanceof UsageError) || error.code !== TOO_LARGE) throw error;
    const found: string[] = [];
    for (const [flags, patch] of REMEDIES) {
      if (found.length < MOST && isSized({ ...launch, ...patch }, size)) found.push(flags);
    }
    if (found.length === 0) throw error;
    throw new UsageError(error.code, error.message, { cause: error, suggestions: [`use ${found.join(' or ')}`] });
  }
}

function isSized(launch: LaunchOptions, size: (launch: LaunchOptions) => unknown): boolean {
  try {
    size(launch);
    return true;
  } catch {
    return false;
  }
}
