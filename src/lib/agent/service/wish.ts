import type { InferenceServiceResource } from '../../kube/client/api.js';
import type { Mirror } from '../cluster/mirror.js';
import { desiredOf, type AgentIdentity, type Desired, type Known } from '../core/desired.js';
import { draftModelKey, type Wanted } from '../core/wanted.js';

/** What the cluster asks for one service, as it is known now. */
export interface Wish {
  readonly service: Known<InferenceServiceResource>;
  readonly desired: Desired;
  /** What is to run. */
  readonly run: Wanted | undefined;
}

/** @param key `namespace/name` */
export function wishFor(key: string, mirror: Pick<Mirror, 'service' | 'model'>, identity: AgentIdentity): Wish {
  const service = mirror.service(key);
  const desired = desiredOf(service, modelOf(service, mirror), identity);
  return { service, desired, run: desired.kind === 'run' ? withDraft(desired, mirror) : undefined };
}

function modelOf(service: Known<InferenceServiceResource>, mirror: Pick<Mirror, 'model'>) {
  if (service.kind !== 'there') return { kind: 'unknown' } as const;
  const { metadata, spec } = service.object;
  return mirror.model(`${metadata.namespace}/${spec.modelRef}`);
}

function withDraft({ service, model }: Pick<Wanted, 'service' | 'model'>, mirror: Pick<Mirror, 'model'>): Wanted {
  const key = draftModelKey(service);
  const draft = key === undefined ? undefined : mirror.model(key);
  return { service, model, draft: draft?.kind === 'there' ? draft.object : undefined };
}
