import { ClusterError } from '../../errors.js';
import type { AnyResource, Kind } from '../client/api.js';
import type { KubeClient } from '../client/client.js';
import { hasOwnUpdates, ownUpdatesAsApplied } from './managed-fields.js';
import { applyTakingOwn, isSameContent, type Rehearsal, type RehearsedResources } from './rehearse.js';

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
 * Applies the Model, then the InferenceService, both rehearsed before. When the second fails all the same, a Model that
 * this run created is removed again, and one that was there before stays; the error says which.
 */
export async function applyResources(client: KubeClient, rehearsed: RehearsedResources, options: ApplyAllOptions) {
  const model = await applyResource(client, rehearsed.model, options);
  options.onApplied?.(model);
  try {
    const service = await applyResource(client, rehearsed.service, options);
    options.onApplied?.(service);
    return { model, service };
  } catch (error) {
    if (options.dryRun || !(error instanceof ClusterError)) throw error;
    throw new ClusterError(error.code, `${error.message}; ${await undoModel(client, model, error)}`, error.options);
  }
}

/** Writes nothing when only what was measured on the machine differs. */
async function applyResource<T extends AnyResource>(
  client: KubeClient,
  { resource, previous, merged, isUnchanged }: Rehearsal<T>,
  { dryRun = false, forceConflicts = false }: ApplyAllOptions,
): Promise<Applied<T>> {
  const { kind } = resource;
  if (previous !== undefined && isUnchanged) return { kind, outcome: 'unchanged', previous, current: previous };
  if (dryRun) return { kind, outcome: outcomeOf(previous, merged), previous, current: merged };
  if (previous !== undefined && hasOwnUpdates(previous)) {
    await client.replaceManagedFields(previous, ownUpdatesAsApplied(previous));
  }
  const current = await applyTakingOwn(client, resource, { force: forceConflicts });
  return { kind, outcome: outcomeOf(previous, current), previous, current };
}

function outcomeOf(previous: AnyResource | undefined, current: AnyResource): ApplyOutcome {
  if (previous === undefined) return 'created';
  const untouched = previous.metadata.resourceVersion === current.metadata.resourceVersion;
  return untouched && isSameContent(previous, current) ? 'unchanged' : 'configured';
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
