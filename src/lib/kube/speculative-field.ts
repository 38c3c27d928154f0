import type { LaunchOptions } from '../runtime/launch-options.js';
import type { SpeculativeDecoding } from './client/api.js';

/** What `spec.speculativeDecoding.type` takes, and whether the operator wants a draft's weights with it. */
const NEEDS_DRAFT: Readonly<Record<string, boolean>> = {
  'draft-simple': true,
  'draft-eagle3': true,
  'draft-dflash': true,
  'draft-dspark': true,
  'draft-mtp': false,
  'ngram-simple': false,
  'ngram-map-k': false,
  'ngram-map-k4v': false,
  'ngram-mod': false,
  'ngram-cache': false,
};

/**
 * `spec.speculativeDecoding` of a launch; undefined where the API cannot say it, or nobody would read it: an agent on a
 * Mac passes none of it on.
 * @param draftModel the draft among the files of the Model
 */
export function speculativeField(
  launch: LaunchOptions,
  draftModel: string | undefined,
): SpeculativeDecoding | undefined {
  const types = (launch.specTypes ?? []).filter((type) => type !== 'none');
  const [type] = types;
  const { draft, draftMax: nDraftMax } = launch;
  if (launch.accelerator === 'metal' || types.length !== 1 || type === undefined) return undefined;
  const needsDraft = NEEDS_DRAFT[type];
  if (needsDraft === undefined || (draftModel === undefined && (needsDraft || draft !== undefined))) return undefined;
  if (nDraftMax !== undefined && nDraftMax < 1) return undefined;
  return {
    type,
    ...(draftModel !== undefined && { draftModel }),
    ...(nDraftMax !== undefined && { nDraftMax }),
  };
}
