import { setTimeout as delay } from 'node:timers/promises';
import { ClusterError } from '../../errors.js';
import type { Kind, ResourceOf } from './api.js';
import type { KubeClient, ObjectRef } from './client.js';

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** The cluster did not answer; it is asked again. */
  readonly onRetry?: (error: ClusterError) => void;
  /** First pause before asking again; it doubles up to ten times this. */
  readonly retryMs?: number;
}

/** Raised when the server no longer has the history from our resource version on: everything must be read anew. */
const EXPIRED = 'EXPIRED';
const PASSING_FAILURES = new Set(['CLUSTER_UNREACHABLE', 'CLUSTER_TIMEOUT', 'CLUSTER_BUSY', 'CLUSTER_FAILED']);
const DEFAULT_RETRY_MS = 500;
/** The server ends a watch after this time; a new one goes on from the last resource version. */
const WATCH_QUERY = { allowWatchBookmarks: 'true', timeoutSeconds: '300' };

/**
 * Yields the object as it is now and after every change, `undefined` when it is gone. Reads once, then watches: goes on
 * from the last version after a broken connection, reads anew after 410 Gone.
 * @throws ClusterError for what will not pass by itself, such as missing permission
 */
export async function* follow<K extends Kind>(
  client: KubeClient,
  ref: ObjectRef<K>,
  { signal, onRetry, retryMs = DEFAULT_RETRY_MS }: FollowOptions,
): AsyncGenerator<ResourceOf<K> | undefined> {
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const current = await client.get(ref, signal);
        yield current;
        version = current?.metadata.resourceVersion ?? '';
      }
      for await (const event of client.watch(ref, { ...WATCH_QUERY, resourceVersion: version }, signal)) {
        failures = 0;
        version = ('object' in event ? event.object.metadata.resourceVersion : event.version) ?? version;
        if ('object' in event) yield event.object;
        if (event.type === 'DELETED') yield undefined;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ClusterError)) throw error;
      if (error.code === EXPIRED) version = undefined;
      else if (PASSING_FAILURES.has(error.code)) onRetry?.(error);
      else throw error;
      failures += 1;
    }
    await pause(Math.min(retryMs * 2 ** Math.max(failures - 1, 0), retryMs * 10), signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
