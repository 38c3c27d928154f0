import type { Kind, ResourceOf } from './api.js';
import { mismatch, type Shape } from './shape.js';

const RESOURCE: Shape = {
  metadata: {
    name: 'string',
    namespace: 'string',
    labels: 'strings',
    annotations: 'strings',
    uid: 'string',
    resourceVersion: 'string',
    generation: 'number',
    creationTimestamp: 'string',
    deletionTimestamp: 'string',
    finalizers: ['string'],
    managedFields: [{ manager: 'string', operation: 'string', subresource: 'string', fieldsV1: 'object' }],
  },
  spec: {
    source: 'string',
    files: ['string'],
    quantization: 'string',
    mmproj: 'string',
    sha256: 'string',
    sourceSecretRef: { name: 'string' },
    hardware: {
      accelerator: 'string',
      gpu: { enabled: 'boolean', count: 'number', layers: 'number' },
      memoryBudget: 'string',
      memoryFraction: 'number',
    },
    modelRef: 'string',
    replicas: 'number',
    suspend: 'boolean',
    mode: 'string',
    runtime: 'string',
    endpoint: { port: 'number', path: 'string' },
    resources: { memory: 'string', memoryLimit: 'string' },
    contextSize: 'number',
    parallelSlots: 'number',
    batchSize: 'number',
    uBatchSize: 'number',
    flashAttention: 'boolean',
    cacheTypeK: 'string',
    cacheTypeV: 'string',
    cacheTypeCustomK: 'string',
    cacheTypeCustomV: 'string',
    moeCPUOffload: 'boolean',
    moeCPULayers: 'number',
    noKvOffload: 'boolean',
    jinja: 'boolean',
    noWarmup: 'boolean',
    tensorOverrides: ['string'],
    metadataOverrides: ['string'],
    ropeScaling: 'object',
    speculativeDecoding: {
      type: 'string',
      draftModel: 'string',
      draftModelRef: 'string',
      nDraftMax: 'number',
      pMin: 'number',
    },
    reasoningBudget: 'number',
    reasoningBudgetMessage: 'string',
    extraArgs: ['string'],
    env: [{ name: 'string', value: 'string', valueFrom: { secretKeyRef: { name: 'string', key: 'string' } } }],
    command: ['string'],
    args: ['string'],
  },
  status: {
    phase: 'string',
    size: 'string',
    cacheKey: 'string',
    endpoint: 'string',
    readyReplicas: 'number',
    desiredReplicas: 'number',
    schedulingStatus: 'string',
    schedulingMessage: 'string',
    conditions: [
      {
        type: 'string',
        status: 'string',
        reason: 'string',
        message: 'string',
        lastTransitionTime: 'string',
        observedGeneration: 'number',
      },
    ],
  },
};

/** What keeps an answer from being a Model or an InferenceService, to follow "whose"; undefined when nothing does. */
export function wrongShape(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'whole is not an object';
  const { metadata, spec } = value as { metadata?: { name?: unknown; namespace?: unknown }; spec?: unknown };
  if (typeof metadata?.name !== 'string' || typeof metadata.namespace !== 'string') return 'name is missing';
  if (typeof spec !== 'object' || spec === null) return 'spec is missing';
  return mismatch(value, RESOURCE, '');
}

/** Texts that every object of a kind has. */
const REQUIRED: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  Model: { source: '' },
  InferenceService: { modelRef: '' },
};

/** An object that has the shape, as Kubernetes reads it: a field that is null is one that is not there, and a text that is not there is empty. */
export function asResource<K extends Kind>(kind: K, value: unknown): ResourceOf<K> {
  const object = withoutNulls(value) as ResourceOf<K>;
  const { env } = object.spec as { readonly env?: readonly object[] };
  const named = env && { env: env.map((variable) => ({ name: '', ...variable })) };
  return { ...object, kind, spec: { ...REQUIRED[kind], ...object.spec, ...named } };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const there = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(there.map(([key, item]) => [key, withoutNulls(item)]));
}
