import { cleanText } from '../../kube/client/clean-text.js';
import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import type { DeployOutcome } from '../../kube/deploy/deploy.js';
import { fieldsChangedSince } from '../../kube/deploy/foreign-fields.js';
import { hostRecord } from '../../kube/host-record.js';
import type { Deployment } from '../../kube/inventory.js';
import { recordedCheck } from '../../kube/recorded-check.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { checkJson } from './check-json.js';

/** What a deploy did, with the check before it where there was one. */
export function deployJson(
  check: MemoryCheck | undefined,
  { state, applied, endpoint }: DeployOutcome,
): Record<string, unknown> {
  const resources = applied.map(({ kind, name, namespace, outcome }) => ({ kind, name, namespace, outcome }));
  return { ...(check && checkJson(check)), deploy: { state, resources, endpoint: endpoint ?? null } };
}

/** What was estimated for a deployment beside what the cluster reports. */
export function deploymentJson({ name, namespace, model, service }: Deployment): Record<string, unknown> {
  return {
    name,
    namespace,
    check: recordedCheck(service ?? model) ?? null,
    changed: [...changedJson(model), ...changedJson(service)],
    host: hostRecord(service) ?? null,
    model: model === undefined ? null : { source: cleanText(model.spec.source), status: model.status ?? null },
    service:
      service === undefined
        ? null
        : { model: service.spec.modelRef, resources: service.spec.resources ?? null, status: service.status ?? null },
  };
}

export function modelsJson(models: readonly ModelResource[]): Record<string, unknown> {
  return {
    models: models.map(({ metadata, spec, status }) => ({
      ...named(metadata),
      source: cleanText(spec.source),
      accelerator: spec.hardware?.accelerator ?? 'cpu',
      status: status ?? null,
    })),
  };
}

export function servicesJson(services: readonly InferenceServiceResource[]): Record<string, unknown> {
  return {
    services: services.map((service) => ({
      ...named(service.metadata),
      model: service.spec.modelRef,
      check: recordedCheck(service) ?? null,
      changed: changedJson(service),
      status: service.status ?? null,
    })),
  };
}

function changedJson(resource: ModelResource | InferenceServiceResource | undefined) {
  if (resource === undefined) return [];
  return fieldsChangedSince(resource).map(({ kind, field, owner }) => ({ kind, field, owner: owner ?? null }));
}

function named({ name, namespace }: { name: string; namespace: string }) {
  return { name, namespace };
}
