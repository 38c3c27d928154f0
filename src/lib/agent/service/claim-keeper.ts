import type { InferenceServiceResource } from '../../kube/client/api.js';
import type { Mirror } from '../cluster/mirror.js';
import { claimAnnotations, claimOf, HEARTBEAT_MS, type Claim, type SeenHeartbeats } from '../core/claims.js';
import type { Desired } from '../core/desired.js';
import type { Teller } from './teller.js';

interface ClaimHost {
  readonly identity: { readonly id: string };
  readonly mirror: Pick<Mirror, 'note' | 'connectedSinceMs'>;
  readonly teller: Pick<Teller, 'claim'>;
  /** Of all services, also of those of which nothing is here. */
  readonly heartbeats: SeenHeartbeats;
}

/** Whose one service is: taken, kept by a heartbeat, and told from others' by how theirs move. */
export class ClaimKeeper {
  #claimedAtMs = -Infinity;

  constructor(
    private readonly key: string,
    private readonly host: ClaimHost,
  ) {}

  of(desired: Desired, now: number): Claim {
    if (desired.kind !== 'run') return 'ours';
    const { heartbeats, identity, mirror } = this.host;
    const sinceMs = heartbeats.since(this.key, desired.service, now);
    return claimOf(desired.service, identity.id, sinceMs, mirror.connectedSinceMs, now);
  }

  /** True when it is ours now. On condition that nobody has changed it: after an outage somebody else may have it. */
  async take(service: InferenceServiceResource): Promise<boolean> {
    const { identity, mirror, teller } = this.host;
    const claimed = await teller.claim(service, claimAnnotations(identity.id, new Date()));
    if (claimed === undefined) return false;
    mirror.note(claimed);
    this.#claimedAtMs = performance.now();
    return true;
  }

  async keep(service: InferenceServiceResource, now: number): Promise<void> {
    if (now - this.#claimedAtMs > HEARTBEAT_MS) await this.take(service);
  }
}
