import { fingerprint } from '../../guard/fingerprint.js';
import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import { OVERRIDE_ANNOTATIONS } from './annotations.js';
import { neededVariables, serverWords, specType, type Placement } from './words-of-service.js';

export interface Wanted {
  readonly service: InferenceServiceResource;
  readonly model: ModelResource;
  /** What `draftModelKey` names, as far as it is known. */
  readonly draft?: ModelResource | undefined;
}

/** `namespace/name` of the Model that drafts; undefined where none is asked for. */
export function draftModelKey({ spec, metadata }: InferenceServiceResource): string | undefined {
  const name = spec.speculativeDecoding?.draftModelRef;
  return name && specType(spec) !== undefined ? `${metadata.namespace}/${name}` : undefined;
}

/** Everywhere the same: what differs is only what the service itself asks for. */
const ANYWHERE: Placement = {
  modelPath: '',
  alias: '',
  host: '',
  port: 0,
  accelerator: 'cuda',
  known: new Set(),
};

/**
 * Of everything that a process is started for: when it changes, another process is needed.
 * @param before of what runs: a draft's Model that is missing or cannot be read is taken for what it was then, and stops nothing
 */
export function fingerprintOf(wanted: Wanted, before?: string): string {
  const own = ownFingerprint(wanted);
  if (draftModelKey(wanted.service) === undefined) return own;
  const { draft } = wanted;
  const known = draft && fingerprint(JSON.stringify([draft.spec.source, draft.spec.files, draft.spec.sha256]));
  return `${own}.${known ?? before?.split('.')[1] ?? ''}`;
}

function ownFingerprint({ service, model }: Wanted): string {
  const { source, files, mmproj, sha256 } = model.spec;
  const words = serverWords(service.spec, model.spec, ANYWHERE);
  const { draftModel, draftModelRef } = service.spec.speculativeDecoding ?? {};
  const drafts = [draftModel, draftModelRef];
  const variables = neededVariables(service.spec);
  const of = [service.metadata.uid, words, source, files, mmproj, sha256, drafts];
  return fingerprint(JSON.stringify(variables.length === 0 ? of : [...of, variables]));
}

/** Of everything that decides whether a start can succeed: when it changes, earlier failures count no more. */
export function attemptOf(wanted: Wanted): string {
  const { memoryBudget, memoryFraction } = wanted.model.spec.hardware ?? {};
  const annotations = Object.values(OVERRIDE_ANNOTATIONS).map((name) => wanted.service.metadata.annotations?.[name]);
  return fingerprint(JSON.stringify([fingerprintOf(wanted), memoryBudget, memoryFraction, annotations]));
}
