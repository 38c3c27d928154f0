import { API_GROUP } from '../../kube/client/api.js';

const PREFIX = `${API_GROUP}/`;

/** Written by people, on an InferenceService. */
export const OVERRIDE_ANNOTATIONS = {
  /** The only agent that may run it; on hosts other than Macs nothing runs without it. */
  agent: `${PREFIX}agent`,
  memoryBudget: `${PREFIX}memory-budget`,
  memoryFraction: `${PREFIX}memory-fraction`,
  memoryCheck: `${PREFIX}memory-check`,
} as const;

/** Written by the agent that has taken a service. */
export const CLAIM_ANNOTATIONS = {
  claimedBy: `${PREFIX}claimed-by`,
  heartbeat: `${PREFIX}claim-heartbeat`,
} as const;
