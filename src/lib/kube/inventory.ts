import type { InferenceServiceResource, Kind, ModelResource } from './client/api.js';
import type { KubeClient } from './client/client.js';
import { missing } from './client/status-errors.js';

/** One deployment: a service, its model, or both. */
export interface Deployment {
  readonly name: string;
  readonly namespace: string;
  readonly model: ModelResource | undefined;
  readonly service: InferenceServiceResource | undefined;
}

export interface Deletion {
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string;
  readonly outcome: 'deleted' | 'kept' | 'missing';
  /** Services that still use a model that is kept. */
  readonly usedBy: readonly string[];
}

/** Both resources of a name. @throws ClusterError NOT_FOUND when neither is there */
export async function readDeployment(client: KubeClient, namespace: string, name: string): Promise<Deployment> {
  const service = await client.get({ kind: 'InferenceService', namespace, name });
  const model = await client.get({ kind: 'Model', namespace, name: service?.spec.modelRef ?? name });
  if (service === undefined && model === undefined) throw missing('InferenceService', name, namespace);
  return { name, namespace, model, service };
}

/**
 * Deletes the service, then the model of the same name unless other services use it.
 * @throws ClusterError NOT_FOUND when neither is there
 */
export async function deleteDeployment(client: KubeClient, namespace: string, name: string): Promise<Deletion[]> {
  const services = await client.list('InferenceService', namespace);
  const serviceDeleted = await client.delete({ kind: 'InferenceService', namespace, name });
  const usedBy = services
    .filter(({ spec, metadata }) => metadata.name !== name && modelsOf(spec).includes(name))
    .map(({ metadata }) => metadata.name);
  const kept = usedBy.length > 0;
  const modelDeleted = !kept && (await client.delete({ kind: 'Model', namespace, name }));
  if (!serviceDeleted && !modelDeleted && !kept) throw missing('InferenceService', name, namespace);
  return [
    { kind: 'InferenceService', name, namespace, outcome: serviceDeleted ? 'deleted' : 'missing', usedBy: [] },
    { kind: 'Model', name, namespace, outcome: kept ? 'kept' : modelDeleted ? 'deleted' : 'missing', usedBy },
  ];
}

function modelsOf({
  modelRef,
  speculativeDecoding,
}: InferenceServiceResource['spec']): readonly (string | undefined)[] {
  return [modelRef, speculativeDecoding?.draftModelRef];
}

/** The operator's directory for a model's file; undefined when it keeps none. */
export async function cacheKeyOf(client: KubeClient, namespace: string, name: string): Promise<string | undefined> {
  const model = await client.get({ kind: 'Model', namespace, name });
  const key = model?.status?.cacheKey ?? '';
  return /^[\w-]+$/.test(key) ? key : undefined;
}
