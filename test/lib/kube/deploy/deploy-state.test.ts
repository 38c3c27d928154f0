import { describe, expect, test } from '@jest/globals';
import type { InferenceServiceResource, ModelResource } from '../../../../src/lib/kube/client/api.js';
import { judge } from '../../../../src/lib/kube/deploy/deploy-state.js';

const model = { metadata: { generation: 1 }, status: { phase: 'Ready' } } as unknown as ModelResource;

/** Of a generation of the spec, refused in these words; `more` of the status changes with whatever else happens. */
function refused(generation: number, schedulingMessage: string, more: object = {}): InferenceServiceResource {
  const status = { phase: 'Creating', schedulingStatus: 'InsufficientMemory', schedulingMessage, ...more };
  return { metadata: { name: 'tiny', namespace: 'default', generation }, spec: {}, status } as never;
}

describe('a refusal that stands when a new spec was applied', () => {
  const before = { model, service: refused(1, 'needs 24GB') };
  const judged = (service: InferenceServiceResource) => judge({ model, service }, before).kind;

  test('is about the old spec for as long as its words are the same', () => {
    expect(judged(refused(2, 'needs 24GB', { readyReplicas: 0 }))).toBe('waiting');
  });

  test('is about the new one in other words', () => {
    expect(judged(refused(2, 'needs 22GB'))).toBe('failed');
  });

  test('is about the new one where its condition says so', () => {
    const conditions = [{ type: 'MemoryFit', reason: 'InsufficientMemory', status: 'False', observedGeneration: 2 }];
    expect(judged(refused(2, 'needs 24GB', { conditions }))).toBe('failed');
  });

  test('decides at once where the spec is as it was', () => {
    expect(judged(refused(1, 'needs 24GB'))).toBe('failed');
  });
});
