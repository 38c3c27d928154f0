import { fingerprint } from '../../guard/fingerprint.js';
import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import { OVERRIDE_ANNOTATIONS } from './annotations.js';
import { serverWords, type Placement } from './server-words.js';

interface Wanted {
  readonly service: InferenceServiceResource;
  readonly model: ModelResource;
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

/** Of everything that a process is started for: when it changes, another process is needed. */
export function fingerprintOf({ service, model }: Wanted): string {
  const { source, files, mmproj, sha256 } = model.spec;
  const words = serverWords(service.spec, model.spec, ANYWHERE);
  const { draftModel, draftModelRef } = service.spec.speculativeDecoding ?? {};
  const drafts = [draftModel, draftModelRef];
  return fingerprint(JSON.stringify([service.metadata.uid, words, source, files, mmproj, sha256, drafts]));
}

/** Of everything that decides whether a start can succeed: when it changes, earlier failures count no more. */
export function attemptOf(wanted: Wanted): string {
  const { memoryBudget, memoryFraction } = wanted.model.spec.hardware ?? {};
  const annotations = Object.values(OVERRIDE_ANNOTATIONS).map((name) => wanted.service.metadata.annotations?.[name]);
  return fingerprint(JSON.stringify([fingerprintOf(wanted), memoryBudget, memoryFraction, annotations]));
}
