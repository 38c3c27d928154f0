import type { FindProcess } from '../../host/processes/processes.js';
import type { AdmissionHost } from './admission.js';
import type { Mirror } from '../cluster/mirror.js';
import type { SeenHeartbeats } from '../core/claims.js';
import type { AgentIdentity } from '../core/desired.js';
import type { AgentLog } from '../log.js';
import type { Teller } from './teller.js';

/** What all services of a host share. */
export interface RunnerHost extends AdmissionHost {
  readonly identity: AgentIdentity;
  readonly mirror: Mirror;
  readonly teller: Teller;
  readonly heartbeats: SeenHeartbeats;
  readonly log: AgentLog;
  readonly find: FindProcess;
  readonly glance: FindProcess;
  readonly startupMs: number;
  /** Look at this service again. */
  readonly enqueue: (key: string) => void;
  /** Memory may have come free. */
  readonly onFreed: () => void;
  /** A reason why nothing new may be started now. */
  readonly holdStarts: () => string | undefined;
}
