import { API_GROUP } from '../../kube/client/api.js';
import { AGENT_ANNOTATION } from '../../kube/host-record.js';

const PREFIX = `${API_GROUP}/`;

/** Written by people, on an InferenceService. */
export const OVERRIDE_ANNOTATIONS = {
  /** The only agent that may run it; on hosts other than Macs nothing runs without it. */
  agent: AGENT_ANNOTATION,
  memoryBudget: `${PREFIX}memory-budget`,
  memoryFraction: `${PREFIX}memory-fraction`,
  memoryCheck: `${PREFIX}memory-check`,
} as const;
