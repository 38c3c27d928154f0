import { isDeepStrictEqual } from 'node:util';
import { ClusterError } from '../../errors.js';
import { FIELD_MANAGER, type AnyResource, type InferenceServiceResource, type ModelResource } from '../client/api.js';
import type { KubeClient } from '../client/client.js';
import { ConflictError, conflictList, type FieldConflict } from '../client/status-errors.js';
import { MEASURED_ANNOTATIONS } from '../check-record.js';
import { hasOwnUpdates, isAppliedByUs, isOurs, isSameApplied } from './managed-fields.js';
import type { DeployResources } from '../resources.js';

/** What the cluster would make of one resource. */
export interface Rehearsal<T extends AnyResource = AnyResource> {
  readonly resource: T;
  /** As it is now; undefined when there is none. */
  readonly previous: T | undefined;
  /** As the server's dry run says it would be, with the fields that others own. */
  readonly merged: T;
  /** Nothing would change but what was measured on the machine, nor who owns what. */
  readonly isUnchanged: boolean;
}

export interface RehearsedResources {
  readonly model: Rehearsal<ModelResource>;
  readonly service: Rehearsal<InferenceServiceResource>;
}

/**
 * Asks the cluster what it would make of both resources, before either is changed.
 * @throws ClusterError FIELD_CONFLICT with the fields of both, NAME_TAKEN, BEING_DELETED, or what the server refuses
 */
export async function rehearse(
  client: KubeClient,
  resources: DeployResources,
  { force }: { readonly force: boolean },
): Promise<RehearsedResources> {
  const [model, service] = await Promise.allSettled([
    rehearseOne(client, resources.model, force),
    rehearseOne(client, resources.service, force),
  ]);
  if (model.status === 'fulfilled' && service.status === 'fulfilled') {
    return { model: model.value, service: service.value };
  }
  const errors = [model, service].flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  throw worst(errors);
}

/** Fields that this program owns under its other operation are its own to change. */
export async function applyTakingOwn<T extends AnyResource>(
  client: KubeClient,
  resource: T,
  options: { readonly dryRun?: boolean; readonly force: boolean },
): Promise<T> {
  try {
    return await client.apply(resource, options);
  } catch (error) {
    const ownOnly = error instanceof ConflictError && error.conflicts.every(({ owner }) => owner === FIELD_MANAGER);
    if (!ownOnly) throw error;
    return client.apply(resource, { ...options, force: true });
  }
}

export function isSameContent(a: AnyResource, b: AnyResource): boolean {
  const contentOf = ({ metadata: { labels = {}, annotations = {} }, spec }: AnyResource) => ({
    labels,
    annotations,
    spec,
  });
  return isDeepStrictEqual(contentOf(a), contentOf(b));
}

async function rehearseOne<T extends AnyResource>(
  client: KubeClient,
  resource: T,
  force: boolean,
): Promise<Rehearsal<T>> {
  const { kind } = resource;
  const { name, namespace } = resource.metadata;
  const previous = (await client.get({ kind, name, namespace })) as T | undefined;
  if (previous?.metadata.deletionTimestamp !== undefined) throw beingDeleted(previous);
  try {
    const merged = await applyTakingOwn(client, withMeasuredFrom(resource, previous), { dryRun: true, force });
    const isSettled = previous !== undefined && isAppliedByUs(previous) && !hasOwnUpdates(previous);
    const isUnchanged = isSettled && isSameContent(merged, previous) && isSameApplied(merged, previous);
    return { resource, previous, merged, isUnchanged };
  } catch (error) {
    if (error instanceof ConflictError && previous !== undefined && !isOurs(previous)) {
      throw new TakenError(`${kind} ${namespace}/${name}`, error);
    }
    throw error;
  }
}

/** A conflict with a resource that this program never wrote. */
class TakenError extends ConflictError {
  constructor(
    readonly resource: string,
    { what, conflicts }: ConflictError,
  ) {
    super(what, conflicts);
  }
}

function withMeasuredFrom<T extends AnyResource>(resource: T, previous: T | undefined): T {
  const kept = Object.entries(previous?.metadata.annotations ?? {}).filter(([key]) =>
    MEASURED_ANNOTATIONS.includes(key),
  );
  const annotations = { ...resource.metadata.annotations };
  for (const [key, value] of kept) if (key in annotations) annotations[key] = value;
  return { ...resource, metadata: { ...resource.metadata, annotations } };
}

/** Conflicts of both resources in one error; else the first that is not about a field. */
function worst(errors: readonly unknown[]): unknown {
  const conflicts = errors.filter((error) => error instanceof ConflictError);
  if (conflicts.length < errors.length) return errors.find((error) => !(error instanceof ConflictError));
  const fields = conflicts.flatMap((error) => error.conflicts);
  const taken = conflicts.find((error) => error instanceof TakenError);
  if (taken !== undefined) return nameTaken(taken.resource, fields);
  return new ConflictError(conflicts.map((error) => error.what).join(' and '), fields);
}

function beingDeleted({ kind, metadata: { name, namespace, finalizers = [] } }: AnyResource): ClusterError {
  const waiting = finalizers.length > 0 ? ` and waits for ${finalizers.join(' and ')}` : '';
  return new ClusterError('BEING_DELETED', `${kind} ${namespace}/${name} is being deleted${waiting}`, {
    suggestions: ['run the same command again when it is gone, or deploy under another name with --name'],
  });
}

function nameTaken(resource: string, conflicts: readonly FieldConflict[]): ClusterError {
  const owners = [...new Set(conflicts.map(({ owner }) => owner))].join(' and ');
  const message = `the name is taken: ${resource} belongs to ${owners}, and this deploy would change ${conflictList(conflicts)}`;
  return new ClusterError('NAME_TAKEN', message, {
    suggestions: ['deploy under another name with --name, or take it over with --force-conflicts'],
  });
}
