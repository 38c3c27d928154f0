import { isDeepStrictEqual } from 'node:util';
import { ClusterError } from '../errors.js';
import { FIELD_MANAGER, type AnyResource, type Kind } from './client/api.js';
import { MEASURED_ANNOTATIONS } from './check-record.js';
import type { KubeClient } from './client/client.js';
import { ConflictError } from './client/errors.js';
import type { DeployResources } from './resources.js';

/** In kubectl's words. */
export type ApplyOutcome = 'created' | 'configured' | 'unchanged';

export interface Applied<T extends AnyResource = AnyResource> {
  readonly kind: Kind;
  readonly outcome: ApplyOutcome;
  /** As it was before; absent when it was created. */
  readonly previous?: T | undefined;
  readonly current: T;
}

export interface ApplyAllOptions {
  readonly dryRun?: boolean;
  /** Take over fields that others own. */
  readonly forceConflicts?: boolean;
  readonly onApplied?: (applied: Applied) => void;
}

const LOST_ANSWER = new Set(['CLUSTER_UNREACHABLE', 'CLUSTER_TIMEOUT']);

/**
 * Applies the Model, then the InferenceService. When the second fails, a Model that this run created is removed again,
 * and one that was there before stays; the error says which.
 */
export async function applyResources(client: KubeClient, resources: DeployResources, options: ApplyAllOptions) {
  const model = await applyResource(client, resources.model, options);
  options.onApplied?.(model);
  try {
    const service = await applyResource(client, resources.service, options);
    options.onApplied?.(service);
    return { model, service };
  } catch (error) {
    if (options.dryRun || !(error instanceof ClusterError)) throw error;
    throw new ClusterError(error.code, `${error.message}; ${await undoModel(client, model, error)}`, error.options);
  }
}

/** Applies one resource, and writes nothing when only what was measured on the machine differs. */
async function applyResource<T extends AnyResource>(
  client: KubeClient,
  resource: T,
  { dryRun = false, forceConflicts = false }: ApplyAllOptions,
): Promise<Applied<T>> {
  const { kind } = resource;
  const { name, namespace } = resource.metadata;
  const previous = (await client.get({ kind, name, namespace })) as T | undefined;
  const options = { force: forceConflicts };
  try {
    if (previous !== undefined && isAppliedByUs(previous)) {
      const settled = await takingOverOurOwn(client, withMeasuredFrom(resource, previous), {
        ...options,
        dryRun: true,
      });
      if (isSameContent(settled, previous)) return { kind, outcome: 'unchanged', previous, current: previous };
    }
    const current = await takingOverOurOwn(client, resource, { ...options, dryRun });
    return { kind, outcome: outcomeOf(previous, current), previous, current };
  } catch (error) {
    if (error instanceof ConflictError && previous !== undefined && !isOurs(previous)) throw nameTaken(previous, error);
    throw error;
  }
}

/** Versions before this one created resources under the same name without server-side apply: those fields are ours. */
async function takingOverOurOwn<T extends AnyResource>(
  client: KubeClient,
  resource: T,
  options: { dryRun: boolean; force: boolean },
): Promise<T> {
  try {
    return await client.apply(resource, options);
  } catch (error) {
    const ownOnly = error instanceof ConflictError && error.conflicts.every(({ owner }) => owner === FIELD_MANAGER);
    if (!ownOnly) throw error;
    return client.apply(resource, { ...options, force: true });
  }
}

function outcomeOf(previous: AnyResource | undefined, current: AnyResource): ApplyOutcome {
  if (previous === undefined) return 'created';
  const untouched = previous.metadata.resourceVersion === current.metadata.resourceVersion;
  return untouched && isSameContent(previous, current) ? 'unchanged' : 'configured';
}

function withMeasuredFrom<T extends AnyResource>(resource: T, previous: T): T {
  const kept = Object.entries(previous.metadata.annotations ?? {}).filter(([key]) =>
    MEASURED_ANNOTATIONS.includes(key),
  );
  const annotations = { ...resource.metadata.annotations };
  for (const [key, value] of kept) if (key in annotations) annotations[key] = value;
  return { ...resource, metadata: { ...resource.metadata, annotations } };
}

function isSameContent(a: AnyResource, b: AnyResource): boolean {
  const contentOf = ({ metadata: { labels = {}, annotations = {} }, spec }: AnyResource) => ({
    labels,
    annotations,
    spec,
  });
  return isDeepStrictEqual(contentOf(a), contentOf(b));
}

function isAppliedByUs({ metadata }: AnyResource): boolean {
  return (metadata.managedFields ?? []).some(
    ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
  );
}

function isOurs({ metadata }: AnyResource): boolean {
  return (metadata.managedFields ?? []).some(
    ({ manager, subresource }) => manager === FIELD_MANAGER && subresource === undefined,
  );
}

function nameTaken({ kind, metadata }: AnyResource, conflict: ConflictError): ClusterError {
  const owners = [...new Set(conflict.conflicts.map(({ owner }) => owner))].join(' and ');
  const fields = conflict.conflicts.map(({ field }) => field).join(', ');
  const message = `the name is taken: ${kind} ${metadata.namespace}/${metadata.name} belongs to ${owners}, and this deploy would change ${fields}`;
  return new ClusterError('NAME_TAKEN', message, {
    suggestions: ['deploy under another name with --name, or take it over with --force-conflicts'],
  });
}

/** @returns what became of the Model, for the error's sentence */
async function undoModel(client: KubeClient, { outcome, current }: Applied, error: ClusterError): Promise<string> {
  const { name, namespace, uid } = current.metadata;
  const model = `Model ${namespace}/${name}`;
  if (outcome !== 'created') return `the ${model} was there before and stays (${outcome})`;
  if (LOST_ANSWER.has(error.code)) {
    return `the ${model} was created and stays; run the same command again to complete the deploy`;
  }
  try {
    await client.delete({ kind: 'Model', namespace, name }, { uid, evenIfAborted: true });
    return `the ${model} that this run had created was removed again`;
  } catch {
    return `the ${model} that this run had created could not be removed: kubectl delete model -n ${namespace} ${name}`;
  }
}
