import { parseBoundedJson } from '../bounded-json.js';
import { API_GROUP, type InferenceServiceResource } from './client/api.js';

const PREFIX = `${API_GROUP}/`;

/** Written by people, and by a deploy to one host: the only agent that may run a service. */
export const AGENT_ANNOTATION = `${PREFIX}agent`;

/** Written by the agent that has taken a service. */
export const CLAIM_ANNOTATIONS = {
  claimedBy: `${PREFIX}claimed-by`,
  heartbeat: `${PREFIX}claim-heartbeat`,
  /** What its process needs, by part. */
  memoryRequired: `${PREFIX}memory-required`,
} as const;

/** How the agent's own check of a service went. */
export const MEMORY_FIT = 'MemoryFit';
/** Whether the agent's process of a service answers. */
export const SERVER_READY = 'ServerReady';

/** What the agent of a host says of a service; amounts in bytes. */
export interface HostRecord {
  readonly agent: string;
  readonly heartbeat: string | undefined;
  readonly fit: { readonly reason: string; readonly message: string } | undefined;
  readonly server: { readonly reason: string; readonly message: string } | undefined;
  readonly requiredBytes: number | undefined;
  readonly parts: readonly { readonly name: string; readonly device: string; readonly bytes: number }[];
}

/** Undefined for a service that no agent has taken. */
export function hostRecord(service: InferenceServiceResource | undefined): HostRecord | undefined {
  const annotations = service?.metadata.annotations ?? {};
  const agent = annotations[CLAIM_ANNOTATIONS.claimedBy];
  if (agent === undefined) return undefined;
  const said = (wanted: string) => {
    const found = service?.status?.conditions?.find(({ type }) => type === wanted);
    return found && { reason: found.reason ?? '', message: found.message ?? '' };
  };
  const heartbeat = annotations[CLAIM_ANNOTATIONS.heartbeat];
  const required = annotations[CLAIM_ANNOTATIONS.memoryRequired];
  return { agent, heartbeat, fit: said(MEMORY_FIT), server: said(SERVER_READY), ...readRequired(required) };
}

/** Annotations can be edited by hand. */
function readRequired(text: string | undefined): Pick<HostRecord, 'requiredBytes' | 'parts'> {
  try {
    const { totalBytes, parts } = parseBoundedJson(text ?? '{}') as { totalBytes?: unknown; parts?: unknown };
    const known = (Array.isArray(parts) ? (parts as unknown[]) : []).filter(isPart);
    return { requiredBytes: isAmount(totalBytes) ? totalBytes : undefined, parts: known };
  } catch {
    return { requiredBytes: undefined, parts: [] };
  }
}

function isPart(value: unknown): value is HostRecord['parts'][number] {
  const { name, device, bytes } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof name === 'string' && typeof device === 'string' && isAmount(bytes);
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}
