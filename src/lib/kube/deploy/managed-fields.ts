import { isDeepStrictEqual } from 'node:util';
import { FIELD_MANAGER, type AnyResource, type FieldSet, type ManagedFieldsEntry } from '../client/api.js';

/** Fields that earlier versions of this program wrote under its name, before they used server-side apply. */
export function hasOwnUpdates(resource: AnyResource): boolean {
  return entriesOf(resource).some(isOwnUpdate);
}

export function isAppliedByUs(resource: AnyResource): boolean {
  return entriesOf(resource).some(isOwnApply);
}

/** The same fields of both are this program's by server-side apply. */
export function isSameApplied(a: AnyResource, b: AnyResource): boolean {
  const appliedOf = (resource: AnyResource) => entriesOf(resource).find(isOwnApply)?.fieldsV1;
  return isDeepStrictEqual(appliedOf(a), appliedOf(b));
}

/** Written by this program, one way or the other. */
export function isOurs(resource: AnyResource): boolean {
  return entriesOf(resource).some((entry) => isOwnApply(entry) || isOwnUpdate(entry));
}

/**
 * The owners of a resource's fields with what this program once wrote by update counted as applied by it, so that the next
 * apply takes away what is not sent again (`csaupgrade.UpgradeManagedFields` of client-go).
 */
export function ownUpdatesAsApplied(resource: AnyResource): ManagedFieldsEntry[] {
  const entries = entriesOf(resource);
  const own = entries.filter((entry) => isOwnApply(entry) || isOwnUpdate(entry));
  const fieldsV1 = own.map((entry) => entry.fieldsV1 ?? {}).reduce(union, {});
  const [first] = own;
  const applied = { ...first, operation: 'Apply', fieldsV1 };
  return [...entries.filter((entry) => !own.includes(entry)), applied];
}

/** Who owns a field such as `['spec', 'parallelSlots']`, this program's own updates left out. */
export function ownersOf(resource: AnyResource, path: readonly string[]): string[] {
  const owners = entriesOf(resource).filter((entry) => !isOwnUpdate(entry) && owns(entry.fieldsV1 ?? {}, path));
  return [...new Set(owners.map(({ manager = 'another' }) => manager))];
}

function entriesOf({ metadata }: AnyResource): readonly ManagedFieldsEntry[] {
  return metadata.managedFields ?? [];
}

function isOwnApply({ manager, operation }: ManagedFieldsEntry): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply';
}

function isOwnUpdate({ manager, operation, subresource }: ManagedFieldsEntry): boolean {
  return manager === FIELD_MANAGER && operation === 'Update' && subresource === undefined;
}

function owns(fields: FieldSet, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  const child = fields[`f:${key}`];
  return child !== undefined && (owns(child, rest) || Object.keys(child).length === 0);
}

function union(a: FieldSet, b: FieldSet): FieldSet {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(keys.map((key) => [key, union(a[key] ?? {}, b[key] ?? {})]));
}
