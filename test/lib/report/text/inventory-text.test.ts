import { expect, test } from '@jest/globals';
import type { InferenceServiceResource, ModelResource } from '../../../../src/lib/kube/client/api.js';
import { modelsTable, servicesTable } from '../../../../src/lib/report/text/inventory-text.js';

const NOW = new Date('2026-03-01T12:00:00Z');

test.each([
  ['2026-03-01T11:59:01Z', '59s'],
  ['2026-03-01T11:58:01Z', '119s'],
  ['2026-03-01T11:55:00Z', '5m'],
  ['2026-03-01T09:00:00Z', '3h'],
  ['2026-02-26T12:00:00Z', '3d'],
  ['2026-03-01T12:00:01Z', '-'],
  [undefined, '-'],
])('a model created at %s is %s old', (creationTimestamp, age) => {
  const model = { metadata: { name: 'm', namespace: 'n', creationTimestamp }, spec: { source: 's' } };
  const [, row = ''] = modelsTable([model as unknown as ModelResource], false, NOW).split('\n');
  expect(row.split(/\s+/).at(-1)).toBe(age);
});

test('a service that names no model, which no operator would keep, is a row all the same', () => {
  const service = { metadata: { name: 's', namespace: 'n' }, spec: {} } as unknown as InferenceServiceResource;
  const [, row = ''] = servicesTable([service], true).split('\n');
  expect(row.split(/\s+/)).toEqual(['n', 's', '-', '-', '0/1', '-', '-', '-']);
});
