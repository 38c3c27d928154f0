/** The types that are relied on when a resource is read; everything else in it is passed over. */
type Shape =
  'string' | 'number' | 'boolean' | 'object' | 'strings' | { readonly [key: string]: Shape } | readonly [Shape];

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
    hardware: { accelerator: 'string', gpu: 'object' },
    modelRef: 'string',
    replicas: 'number',
    suspend: 'boolean',
    mode: 'string',
    runtime: 'string',
    endpoint: { port: 'number', path: 'string' },
    resources: { memory: 'string', memoryLimit: 'string' },
    extraArgs: ['string'],
    env: ['object'],
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

function mismatch(value: unknown, shape: Shape, at: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  const wrong = (wanted: string): string => `${at} is not ${wanted}`;
  if (typeof shape === 'string') {
    if (shape === 'strings') {
      return isObject(value) && Object.values(value).every((text) => typeof text === 'string')
        ? undefined
        : wrong('texts');
    }
    if (shape === 'object') return isObject(value) ? undefined : wrong('an object');
    return typeof value === shape ? undefined : wrong(`a ${shape}`);
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) return wrong('a list');
    return first(
      value.map((item, index) =>
        item === null ? `${at}[${index}] is nothing` : mismatch(item, shape[0], `${at}[${index}]`),
      ),
    );
  }
  if (!isObject(value)) return wrong('an object');
  return first(
    Object.entries(shape).map(([key, child]) => mismatch(value[key], child, at === '' ? key : `${at}.${key}`)),
  );
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function first(problems: readonly (string | undefined)[]): string | undefined {
  return problems.find((problem) => problem !== undefined);
}
