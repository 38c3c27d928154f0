/** A Model and an InferenceService with all that is read of them, and a refusal. */
const metadata = {
  name: 'tiny',
  namespace: 'default',
  uid: '6f1c7a0e-0000-4000-8000-000000000001',
  resourceVersion: '7',
  generation: 2,
  creationTimestamp: '2026-02-03T04:05:06Z',
  labels: { app: 'tiny' },
  annotations: {
    'inference.llmkube.dev/claimed-by': 'mac',
    'inference.llmkube.dev/claim-heartbeat': '2026-02-03T04:05:06Z',
    'inference.llmkube.dev/memory-required': '{"totalBytes":5,"parts":[{"name":"weights","device":"gpu","bytes":5}]}',
    'llmkube.ai/memory-check': '{"fits":true}',
  },
  managedFields: [
    { manager: 'llmkube', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': {} } },
  ],
};
const conditions = [
  {
    type: 'Ready',
    status: 'True',
    reason: 'Up',
    message: 'it runs',
    lastTransitionTime: '2026-02-03T04:05:06Z',
    observedGeneration: 2,
  },
  { type: 'MemoryFit', status: 'False', reason: 'InsufficientMemory', message: 'no', observedGeneration: 2 },
];

export const MODEL = {
  apiVersion: 'inference.llmkube.dev/v1alpha1',
  kind: 'Model',
  metadata,
  spec: {
    source: 'https://huggingface.co/u/x/resolve/main/m-Q4_K_M.gguf',
    format: 'gguf',
    quantization: 'Q4_K_M',
    files: ['m-Q4_K_M.gguf'],
    mmproj: 'mmproj.gguf',
    sha256: 'a'.repeat(64),
    sourceSecretRef: { name: 'token' },
    hardware: { accelerator: 'metal', gpu: { enabled: true, count: 1, layers: -1 }, memoryFraction: 0.5 },
  },
  status: { phase: 'Ready', size: '1.2 GiB', cacheKey: 'abc', conditions },
};

export const SERVICE = {
  apiVersion: 'inference.llmkube.dev/v1alpha1',
  kind: 'InferenceService',
  metadata,
  spec: {
    modelRef: 'tiny',
    replicas: 1,
    runtime: 'llamacpp',
    mode: 'x',
    contextSize: 4096,
    parallelSlots: 2,
    batchSize: 512,
    flashAttention: true,
    cacheTypeK: 'q8_0',
    extraArgs: ['--no-warmup', '--ctx-size', '4096'],
    env: [{ name: 'LLAMA_ARG_THREADS', value: '4' }],
    endpoint: { port: 8080, path: '/v1', type: 'ClusterIP' },
    resources: { gpu: 1, memory: '4Gi', cpu: '2', memoryLimit: '8Gi' },
    tensorOverrides: ['x=CPU'],
    metadataOverrides: ['a=int:1'],
    speculativeDecoding: { enabled: true, draftModelRef: 'd' },
    ropeScaling: { type: 'yarn', factor: 2 },
  },
  status: {
    phase: 'Ready',
    endpoint: 'http://tiny.default:8080',
    readyReplicas: 1,
    desiredReplicas: 1,
    schedulingStatus: 'InsufficientMemory',
    schedulingMessage: 'no',
    conditions,
  },
};

export const FAILURE = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code: 422,
  reason: 'Invalid',
  message: 'Model.inference.llmkube.dev "tiny" is invalid',
  details: {
    name: 'tiny',
    kind: 'Model',
    retryAfterSeconds: 1,
    causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using v1', field: '.spec.source' }],
  },
};
