import type { KubeApi } from './kube-api.js';
import type { JsonObject } from './kube-types.js';

export interface Step {
  readonly kind: 'Model' | 'InferenceService';
  readonly status: JsonObject;
}

const PLURALS = { Model: 'models', InferenceService: 'inferenceservices' } as const;

export const TO_READY: readonly Step[] = [
  { kind: 'Model', status: { phase: 'Downloading' } },
  { kind: 'InferenceService', status: { phase: 'Pending' } },
  { kind: 'Model', status: { phase: 'Ready', size: '18.5 GiB' } },
  { kind: 'InferenceService', status: { phase: 'Creating' } },
  {
    kind: 'InferenceService',
    status: { phase: 'Ready', readyReplicas: 1, desiredReplicas: 1, endpoint: 'http://tiny.default.svc:8080' },
  },
];

/** Waits for the two resources of a name and for somebody who watches both, then moves their status step by step. */
export function operate(api: KubeApi, steps: readonly Step[], { name = 'tiny', namespace = 'default' } = {}): void {
  const timer = setInterval(() => {
    const isThere = (kind: Step['kind']) => api.store.get({ plural: PLURALS[kind], namespace, name }) !== undefined;
    if (!isThere('Model') || !isThere('InferenceService') || api.watches.size < 2) return;
    clearInterval(timer);
    for (const { kind, status } of steps) api.store.setStatus({ plural: PLURALS[kind], namespace, name }, status);
  }, 10);
  timer.unref();
}
