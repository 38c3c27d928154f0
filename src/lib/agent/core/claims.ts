import type { InferenceServiceResource } from '../../kube/client/api.js';
import { CLAIM_ANNOTATIONS } from '../../kube/host-record.js';

/** Whose a service is, as far as its annotations say. */
export type Claim = 'ours' | 'free' | 'others';

/** A heartbeat of another agent that has not moved for this long, while the cluster answered, is nobody's any more. */
const STALE_CLAIM_MS = 180_000;
/** How often an agent says that it still has its services. */
export const HEARTBEAT_MS = 60_000;

/**
 * When each agent's heartbeat on each service was first seen as it stands, by `performance.now()`: no clock that is set, or runs
 * elsewhere, is believed.
 */
export class SeenHeartbeats {
  readonly #seen = new Map<string, { readonly text: string; readonly sinceMs: number }>();

  /** @param key of the service */
  since(key: string, { metadata }: Pick<InferenceServiceResource, 'metadata'>, nowMs: number): number {
    const { claimedBy, heartbeat } = CLAIM_ANNOTATIONS;
    const text = `${metadata.annotations?.[claimedBy] ?? ''} ${metadata.annotations?.[heartbeat] ?? ''}`;
    const before = this.#seen.get(key);
    if (before?.text === text) return before.sinceMs;
    this.#seen.set(key, { text, sinceMs: nowMs });
    return nowMs;
  }

  /** Of services that are gone. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const key of this.#seen.keys()) if (!keys.has(key)) this.#seen.delete(key);
  }
}

/** @param connectedSinceMs since when the cluster has answered without a break: before that no heartbeat could be seen */
export function claimOf(
  { metadata }: Pick<InferenceServiceResource, 'metadata'>,
  agentId: string,
  seenSinceMs: number,
  connectedSinceMs: number,
  nowMs: number,
): Claim {
  const owner = metadata.annotations?.[CLAIM_ANNOTATIONS.claimedBy] ?? '';
  if (owner === '') return 'free';
  if (owner === agentId) return 'ours';
  return nowMs - Math.max(seenSinceMs, connectedSinceMs) > STALE_CLAIM_MS ? 'free' : 'others';
}

/** To be written on condition that nobody has changed the service since it was read. */
export function claimAnnotations(agentId: string, now: Date): Readonly<Record<string, string>> {
  return { [CLAIM_ANNOTATIONS.claimedBy]: agentId, [CLAIM_ANNOTATIONS.heartbeat]: now.toISOString() };
}

/** Whether the annotations of a service name an agent. */
export function isClaimedBy({ metadata }: Pick<InferenceServiceResource, 'metadata'>, agentId: string): boolean {
  return metadata.annotations?.[CLAIM_ANNOTATIONS.claimedBy] === agentId;
}

/** What a service is told and registered as is then the other's to say. */
export function isClaimedByOther({ metadata }: Pick<InferenceServiceResource, 'metadata'>, agentId: string): boolean {
  const owner = metadata.annotations?.[CLAIM_ANNOTATIONS.claimedBy] ?? '';
  return owner !== '' && owner !== agentId;
}
