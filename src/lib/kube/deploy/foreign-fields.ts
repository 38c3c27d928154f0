import { isDeepStrictEqual } from 'node:util';
import { FIELD_MANAGER, type AnyResource, type Kind } from '../client/api.js';
import { fieldsOfLaunch, recordedFields } from '../launch-of-resource.js';
import { isAppliedByUs, ownersOf } from './managed-fields.js';

/** A field that decides what llama-server allocates and that is not as it was checked, because somebody else set it. */
export interface ForeignField {
  readonly kind: Kind;
  /** `spec.parallelSlots` */
  readonly field: string;
  readonly value: unknown;
  readonly owner: string;
}

/**
 * What would run otherwise than it was checked.
 * @param sent what this program applies; @param merged what the cluster makes of it
 */
export function foreignFields(sent: AnyResource, merged: AnyResource): ForeignField[] {
  const wanted = new Map(fieldsOfLaunch(sent).map(({ field, value, standard }) => [field, value ?? standard]));
  return fieldsOfLaunch(merged).flatMap(({ field, value }) => {
    if (value === undefined || isDeepStrictEqual(value, wanted.get(field))) return [];
    const owners = ownersOf(merged, field.split('.'));
    return owners.length === 0 ? [] : [{ kind: sent.kind, field, value, owner: owners.join(' and ') }];
  });
}

/** The same of a resource since this program applied it; of a field that was taken out the API does not say by whom. */
type ChangedField = ForeignField | (Pick<ForeignField, 'kind' | 'field'> & { readonly owner: undefined });

/**
 * What others have set or taken out, since this program applied a resource, of what decides what llama-server allocates: the recorded
 * check does not hold for it. None of what this program has not applied.
 */
export function fieldsChangedSince(resource: AnyResource): ChangedField[] {
  if (!isAppliedByUs(resource)) return [];
  const { kind } = resource;
  const applied = new Set(recordedFields(resource));
  return fieldsOfLaunch(resource).flatMap(({ field, value, standard }): ChangedField[] => {
    if (value === undefined) return applied.has(field) ? [{ kind, field, owner: undefined }] : [];
    // The API's default is as it was checked where nothing else was asked for.
    if (!applied.has(field) && isDeepStrictEqual(value, standard)) return [];
    const owners = ownersOf(resource, field.split('.'));
    const isOthers = owners.length > 0 && !owners.includes(FIELD_MANAGER);
    return isOthers ? [{ kind, field, value, owner: owners.join(' and ') }] : [];
  });
}
