import type { ModelSource } from './model-source.js';
import { mapLimited } from './map-limited.js';
import { type HeaderReading, readModelHeader } from './open.js';
import { createNetwork, type ReadOptions } from './session.js';

/** Readings under way at once on one host; content networks slow down clients that open many more connections. */
const READINGS_PER_HOST = 4;

export type ManyResult =
  | { readonly source: ModelSource; readonly reading: HeaderReading }
  | { readonly source: ModelSource; readonly error: Error };

export interface ReadManyOptions extends ReadOptions {
  /** Told of each source that is done, in any order. */
  readonly onSettled?: (result: ManyResult, doneCount: number) => void;
}

/**
 * Reads many headers side by side, a few at once on each host, over shared connections; a source named twice is read
 * once. Results in the order of the sources; a failure stays with its source.
 */
export async function readMany(sources: readonly ModelSource[], options: ReadManyOptions = {}): Promise<ManyResult[]> {
  const network = options.network ?? createNetwork(options);
  const results = new Map<string, ManyResult>();
  let doneCount = 0;
  const read = async (source: ModelSource): Promise<void> => {
    const result = await settle(source, { ...options, network });
    results.set(keyOf(source), result);
    options.onSettled?.(result, ++doneCount);
  };
  const distinct = [...new Map(sources.map((source) => [keyOf(source), source])).values()];
  const hosts = groupBy(distinct, hostOf);
  try {
    await Promise.all([...hosts.values()].map((group) => mapLimited(group, READINGS_PER_HOST, read)));
  } finally {
    if (options.network === undefined) network.close();
  }
  return sources.flatMap((source) => results.get(keyOf(source)) ?? []);
}

async function settle(source: ModelSource, options: ReadOptions): Promise<ManyResult> {
  try {
    return { source, reading: await readModelHeader(source, options) };
  } catch (error) {
    return { source, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

function keyOf(source: ModelSource): string {
  return JSON.stringify(source);
}

function hostOf(source: ModelSource): string {
  return source.kind === 'http' ? new URL(source.url).host : source.kind;
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group === undefined) groups.set(nameOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
