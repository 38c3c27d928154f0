import { setTimeout as delay } from 'node:timers/promises';
import { ClusterError, UsageError } from '../../errors.js';
import type { ObjectCalls } from '../../kube/client/object-calls.js';
import { hostPath, isFresh, readHostReport } from '../../kube/hosts.js';
import { printable } from '../../printable.js';

const RETRY_MS = 2_000;

interface OwnName {
  readonly id: string;
  readonly namespace: string;
  /** As `takeAgentName` returns it. */
  readonly instance: string;
}

/**
 * Resolves when no agent of this name has been heard of lately that had another state folder: both would run every service of that name. Such
 * a one runs on another machine, or as another user of this one; an agent that was killed, and whose folder is gone, cannot be told from it.
 * Asks until the cluster has answered; an agent that may not read what it publishes itself cannot know.
 * @throws UsageError AGENT_ID_TAKEN
 */
export async function refuseTwin(
  objects: Pick<ObjectCalls, 'get'>,
  { id, namespace, instance }: OwnName,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const found = await objects.get(hostPath(id, namespace));
      const host = found && readHostReport(found);
      if (host?.instance === undefined || host.instance === instance || !isFresh(host, new Date())) return;
      throw new UsageError(
        'AGENT_ID_TAKEN',
        `an agent "${printable(id)}" of another machine, or with another state folder, was heard of at ${printable(host.heartbeat)}`,
        { suggestions: ['give one of them another name with --agent-id; one that is gone is forgotten after 3 min'] },
      );
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      if (error.code === 'FORBIDDEN') return;
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
