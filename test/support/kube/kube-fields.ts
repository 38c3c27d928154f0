import {
  ApiFailure,
  type Json,
  type JsonObject,
  type KubeObject,
  type ManagedFields,
  type StatusCause,
} from './kube-types.js';

/** A leaf as a key that tells `a.b` from `a` and `b`; lists are leaves, as in CRDs without list types. */
type Path = string;

export interface Manager {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
}

const SERVER_OWNED = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
]);
const SEPARATOR = '\u0000';

/** The leaves of everything that can be owned: not the kind, not what the server itself writes. */
export function ownedLeaves(object: KubeObject): Map<Path, Json> {
  const { metadata, spec, status } = object;
  const own = Object.fromEntries(Object.entries(metadata).filter(([key]) => !SERVER_OWNED.has(key))) as JsonObject;
  const roots: [string, JsonObject | undefined][] = [
    ['metadata', own],
    ['spec', spec],
    ['status', status],
  ];
  return new Map(roots.flatMap(([key, value]) => (value === undefined ? [] : leavesOf(value, [key]))));
}

function leavesOf(value: Json, at: string[]): [Path, Json][] {
  const isTree = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  if (!isTree) return at.length === 1 ? [] : [[at.join(SEPARATOR), value]];
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...at, key]));
}

/** `.spec.hardware.accelerator`, as conflicts name it. */
function fieldOf(path: Path): string {
  return `.${path.split(SEPARATOR).join('.')}`;
}

export function setLeaf(object: KubeObject, path: Path, value: Json): void {
  const keys = path.split(SEPARATOR);
  let node = object as unknown as JsonObject;
  for (const key of keys.slice(0, -1)) node = (node[key] ??= {}) as JsonObject;
  node[keys.at(-1) ?? ''] = structuredClone(value);
}

/** Removes a leaf, and what is left empty above it. */
export function removeLeaf(object: KubeObject, path: Path): void {
  const keys = path.split(SEPARATOR);
  const chain: JsonObject[] = [object as unknown as JsonObject];
  for (const key of keys.slice(0, -1)) {
    const next = chain.at(-1)?.[key];
    if (typeof next !== 'object' || next === null || Array.isArray(next)) return;
    chain.push(next);
  }
  for (let depth = keys.length - 1; depth >= 0; depth -= 1) {
    const node = chain[depth];
    const key = keys[depth] ?? '';
    if (node === undefined || (depth < keys.length - 1 && Object.keys(node[key] as JsonObject).length > 0)) return;
    Reflect.deleteProperty(node, key);
    if (depth === 1) return;
  }
}

export function pathsOf(entry: ManagedFields): Set<Path> {
  const walk = (node: JsonObject, at: string[]): Path[] => {
    const keys = Object.keys(node);
    if (keys.length === 0) return [at.join(SEPARATOR)];
    return keys.flatMap((key) => walk(node[key] as JsonObject, [...at, key.replace(/^f:/, '')]));
  };
  return new Set(walk(entry.fieldsV1, []));
}

export function managedFields(owner: Manager, paths: Iterable<Path>, apiVersion: string, time: string): ManagedFields {
  const fieldsV1: JsonObject = {};
  for (const path of [...paths].sort()) {
    let node = fieldsV1;
    for (const key of path.split(SEPARATOR)) node = (node[`f:${key}`] ??= {}) as JsonObject;
  }
  return { ...owner, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1 };
}

export function isSameManager(entry: Manager, owner: Manager): boolean {
  return (
    entry.manager === owner.manager && entry.operation === owner.operation && entry.subresource === owner.subresource
  );
}

/** The words of a real API server: the causes name each field, the message joins them by owner. */
export function conflictFailure(conflicts: readonly { path: Path; entry: ManagedFields }[]): ApiFailure {
  const causes: StatusCause[] = conflicts.map(({ path, entry }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with "${entry.manager}"${entry.subresource ? ` with subresource "${entry.subresource}"` : ''}${entry.operation === 'Update' ? ` using ${entry.apiVersion}` : ''}`,
    field: fieldOf(path),
  }));
  const noun = causes.length === 1 ? 'conflict' : 'conflicts';
  const list = causes.map(({ message, field }) => `${message}: ${field}`).join('\n');
  return new ApiFailure(409, 'Conflict', `Apply failed with ${causes.length} ${noun}: ${list}`, { causes });
}
