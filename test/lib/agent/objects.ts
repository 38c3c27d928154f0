import type { InferenceServiceResource, ModelResource } from '../../../src/lib/kube/client/api.js';

export function aService(
  spec: Partial<InferenceServiceResource['spec']> = {},
  annotations: Record<string, string> = {},
): InferenceServiceResource {
  return {
    apiVersion: 'inference.llmkube.dev/v1alpha1',
    kind: 'InferenceService',
    metadata: { name: 'tiny', namespace: 'default', uid: 'u1', generation: 1, annotations },
    spec: { modelRef: 'tiny', endpoint: { port: 8080, path: '/', type: 'ClusterIP' }, ...spec },
  };
}

export function aModel(hardware: Partial<ModelResource['spec']['hardware']> = {}): ModelResource {
  return {
    apiVersion: 'inference.llmkube.dev/v1alpha1',
    kind: 'Model',
    metadata: { name: 'tiny', namespace: 'default', uid: 'm1', generation: 1 },
    spec: { source: '/models/tiny.gguf', format: 'gguf', hardware: { accelerator: 'metal', ...hardware } },
  };
}
