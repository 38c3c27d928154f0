import { expect, test } from '@jest/globals';
import type { GrowthPart, PartName } from '../../../../src/lib/estimate/memory-estimate.js';
import { growthLabel, partLabel } from '../../../../src/lib/report/words/part-labels.js';

test.each<[PartName, string]>([
  ['weights', 'weights'],
  ['weights-unread', 'weights, read no more'],
  ['weights-copy', 'weights, copied'],
  ['kv-cache', 'KV cache'],
  ['recurrent-state', 'recurrent state'],
  ['expert-cache', 'expert cache'],
  ['compute', 'compute buffer'],
  ['output', 'output buffer'],
  ['runtime-overhead', 'runtime overhead'],
  ['loading', 'only while it starts'],
])('%s is called "%s", with its owner where it is not the model’s own', (name, label) => {
  expect(partLabel({ name, of: 'model' })).toBe(label);
  expect(partLabel({ name, of: 'draft' })).toBe(`draft: ${label}`);
});

test('owners have a name of their own', () => {
  expect((['projector', 'mtp', 'adapter'] as const).map((of) => partLabel({ name: 'weights', of }))).toEqual([
    ...['projector: weights', 'MTP head: weights', 'adapter: weights'],
  ]);
});

test.each<[GrowthPart['name'], string]>([
  ['prompt-cache', 'the prompt cache'],
  ['context-checkpoints', 'context checkpoints'],
  ['compute', 'compute buffers'],
  ['output', 'output buffers'],
])('what grows as %s is called "%s", and whatever a projector has by what it is for', (name, label) => {
  expect(growthLabel({ name, of: 'model' })).toBe(label);
  expect(growthLabel({ name, of: 'mtp' })).toBe(`${label} of the MTP head`);
  expect(growthLabel({ name, of: 'projector' })).toBe('what images and audio need');
});
