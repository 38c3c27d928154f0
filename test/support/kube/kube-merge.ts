import { isDeepStrictEqual } from 'node:util';
import {
  conflictFailure,
  isSameManager,
  managedFields,
  ownedLeaves,
  pathsOf,
  removeLeaf,
  setLeaf,
  type Manager,
} from './kube-fields.js';
import type { Json, JsonObject, KubeObject, ManagedFields } from './kube-types.js';

/**
 * Server-side apply: sets what was sent, removes what this manager applied before and leaves out now (unless somebody
 * else owns it too), and refuses to change what others own, unless forced.
 */
export function serverSideApply(
  live: KubeObject | undefined,
  sent: KubeObject,
  manager: string,
  force: boolean,
  now: string,
): KubeObject {
  const owner: Manager = { manager, operation: 'Apply' };
  const result = structuredClone(live) ?? { ...structuredClone(sent), metadata: { ...sent.metadata } };
  const wanted = ownedLeaves(sent);
  const existing = live === undefined ? new Map<string, Json>() : ownedLeaves(live);
  const entries = live?.metadata.managedFields ?? [];
  const others = entries.filter((entry) => !isSameManager(entry, owner));
  const mine = entries.find((entry) => isSameManager(entry, owner));

  const changed = [...wanted]
    .filter(([path, value]) => !isDeepStrictEqual(existing.get(path), value))
    .map(([path]) => path);
  const conflicts = others.flatMap((entry) =>
    changed.filter((path) => pathsOf(entry).has(path)).map((path) => ({ path, entry })),
  );
  if (conflicts.length > 0 && !force) throw conflictFailure(conflicts);

  const dropped = [...(mine === undefined ? [] : pathsOf(mine))].filter(
    (path) => !wanted.has(path) && !others.some((entry) => pathsOf(entry).has(path)),
  );
  for (const path of dropped) removeLeaf(result, path);
  for (const [path, value] of wanted) setLeaf(result, path, value);

  const kept = others.map((entry) =>
    without(
      entry,
      conflicts.filter((each) => each.entry === entry).map(({ path }) => path),
    ),
  );
  const own = managedFields(owner, wanted.keys(), sent.apiVersion, now);
  if (mine !== undefined && isDeepStrictEqual(mine.fieldsV1, own.fieldsV1)) own.time = mine.time;
  result.metadata.managedFields = [...kept.filter(hasFields), own];
  return result;
}

/** Create, update and patch by other means: whoever changes a field owns it from then on. */
export function trackUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  manager: string,
  subresource: string | undefined,
  now: string,
): void {
  const owner: Manager = { manager, operation: 'Update', ...(subresource && { subresource }) };
  const old = before === undefined ? new Map<string, Json>() : ownedLeaves(before);
  const fresh = ownedLeaves(after);
  const changed = [...fresh].filter(([path, value]) => !isDeepStrictEqual(old.get(path), value)).map(([path]) => path);
  const gone = [...old.keys()].filter((path) => !fresh.has(path));
  const entries = (before?.metadata.managedFields ?? []).map((entry) =>
    isSameManager(entry, owner) ? without(entry, gone) : without(entry, [...gone, ...changed]),
  );
  const mine = entries.find((entry) => isSameManager(entry, owner));
  const paths = [...(mine === undefined || !hasFields(mine) ? [] : pathsOf(mine)), ...changed];
  const rest = entries.filter((entry) => entry !== mine && hasFields(entry));
  const own = managedFields(owner, paths, after.apiVersion, changed.length > 0 ? now : (mine?.time ?? now));
  after.metadata.managedFields = paths.length > 0 ? [...rest, own] : rest;
}

/** RFC 7396, which `kubectl apply` and `kubectl patch` send for custom resources. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: JsonObject = isObject ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function without(entry: ManagedFields, paths: readonly string[]): ManagedFields {
  const left = [...pathsOf(entry)].filter((path) => !paths.includes(path));
  const { fieldsV1 } = managedFields(entry, left, entry.apiVersion, entry.time);
  return { ...entry, fieldsV1 };
}

function hasFields({ fieldsV1 }: ManagedFields): boolean {
  return Object.keys(fieldsV1).length > 0;
}
