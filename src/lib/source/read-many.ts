import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { allReadingsDeadline, allReadingsMs } from './deadline.js';
import { cancelled } from './http/retry.js';
import { mapLimited } from './map-limited.js';
import type { ModelSource } from './model-source.js';
import { cacheOf, createNetwork, type ReadOptions } from './session.js';
import { FolderNames } from './stores/folder-names.js';

/** Readings under way at once on one host; content networks slow down clients that open many more connections. */
const READINGS_PER_HOST = 4;
/** Hosts at once: a catalogue may name as many as it has entries, and each takes connections and memory. */
const HOSTS_AT_ONCE = 16;

/** Where nothing is waited for, as offline, signals are heard and what is left behind is given back only between stretches. */
const AT_A_STRETCH = 64;

/** One of many: what is read, and how. */
export interface Reading<T> {
  readonly source: ModelSource;
  /** By which equal readings are known; the source, unless said otherwise. */
  readonly key?: string;
  readonly read: (options: ReadOptions) => Promise<T>;
}

export type ManyResult<T> = { readonly value: T } | { readonly error: unknown };

export interface ReadManyOptions extends ReadOptions {
  /** The most that all take together; ten minutes unless said otherwise, or longer where one may take long. */
  readonly allMs?: number;
  /** Told after each reading. */
  readonly onSettled?: (doneCount: number, totalCount: number) => void;
}

/**
 * Reads many headers side by side, a few at once on each host, over shared connections; of several readings of one
 * source only the first is done. Results in the order of the readings; a failure stays with its source. What is not read when the time for
 * all is over fails with SOURCE_TIMEOUT.
 */
export async function readMany<T>(
  readings: readonly Reading<T>[],
  { onSettled, allMs, ...options }: ReadManyOptions = {},
): Promise<ManyResult<T>[]> {
  const network = options.network ?? createNetwork(options);
  const deadline = allReadingsDeadline(options.signal, allMs ?? allReadingsMs(options.readingMs));
  // Every request under way listens to it, on as many hosts as there are.
  setMaxListeners(0, deadline.signal);
  const folders = options.folders ?? new FolderNames(options.env ?? {});
  const cache = options.cache ?? cacheOf(options, folders);
  const shared = { ...options, signal: deadline.signal, network, folders, cache };
  const keys = readings.map(keyOf);
  const distinct = new Map<string, Reading<T>>();
  readings.forEach((reading, index) => {
    const key = keys[index] ?? '';
    if (!distinct.has(key)) distinct.set(key, reading);
  });
  const results = new Map<Reading<T>, ManyResult<T>>();
  const settle = async (reading: Reading<T>): Promise<void> => {
    const isStopped = options.signal?.aborted === true;
    results.set(reading, isStopped ? { error: cancelled(options.signal) } : await resultOf(reading.read(shared)));
    onSettled?.(results.size, distinct.size);
    if (results.size % AT_A_STRETCH === 0) await setImmediate();
  };
  const hosts = groupBy([...distinct.values()], hostOf);
  deadline.start();
  try {
    await mapLimited([...hosts.values()], HOSTS_AT_ONCE, (group) => mapLimited(group, READINGS_PER_HOST, settle));
  } finally {
    deadline.stop();
    if (options.network === undefined) network.close();
  }
  return keys.flatMap((key) => {
    const reading = distinct.get(key);
    return (reading && results.get(reading)) ?? [];
  });
}

function resultOf<T>(reading: Promise<T>): Promise<ManyResult<T>> {
  return reading.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}

function keyOf({ source, key }: Reading<unknown>): string {
  return key ?? JSON.stringify(source);
}

/** An address is as `URL` writes it: its host stands between a login and the path. */
function hostOf({ source }: Reading<unknown>): string {
  return source.kind === 'http' ? (source.url.split('/', 3)[2] ?? '').replace(/^.*@/, '') : source.kind;
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
