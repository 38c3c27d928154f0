import { expect, test } from '@jest/globals';
import { desiredOf } from '../../../../src/lib/agent/core/desired.js';
import { leftVariables } from '../../../../src/lib/agent/core/words-of-service.js';
import { modelSource } from '../../../../src/lib/agent/store/model-files.js';
import { asResource } from '../../../../src/lib/kube/client/resource-shape.js';

const metadata = { name: 'tiny', namespace: 'default', uid: null };
const there = <T>(object: T) => ({ kind: 'there', object }) as const;

test('a field that is null is not there, and a text that is not there is empty, as Kubernetes reads objects', () => {
  const service = asResource('InferenceService', { metadata, spec: { replicas: null, env: [{ value: 'x' }] } });
  expect(service).toEqual({
    kind: 'InferenceService',
    metadata: { name: 'tiny', namespace: 'default' },
    spec: { modelRef: '', env: [{ name: '', value: 'x' }] },
  });
});

test('a Model without a source is refused, not tripped over', () => {
  const model = asResource('Model', { metadata, spec: {} });
  expect(() => modelSource(model)).toThrow('the model is empty');
});

test('a service without a Model, and with variables that have no name, has none', () => {
  const service = asResource('InferenceService', { metadata, spec: { env: [{ value: 'x' }] } });
  const agent = { id: 'mac', accelerator: 'metal' } as const;
  expect(desiredOf(there(service), { kind: 'gone' }, agent)).toEqual({ kind: 'unknown' });
  expect(leftVariables(service.spec)).toEqual(['']);
});
