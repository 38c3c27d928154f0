import { expect, test } from '@jest/globals';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { inspectHeader } from '../../../src/lib/model/inspect-header.js';
import { inspectLayers } from '../../../src/lib/model/inspect-layers.js';
import { readBundledHeader } from '../../../src/lib/source/bundled-header.js';
import { bundledNames } from '../../support/models/bundled-shape.js';

async function headerOf(id: string, quantization: string) {
  const bundled = readBundledHeader(id, quantization);
  if (bundled === undefined) throw new Error(`no bundled header of ${id}`);
  return bundled.header;
}

test.each(bundledNames())('%s (%s): the shares of the tensor types make a whole', async (id, quantization) => {
  const header = await headerOf(id, quantization);
  const { tensorTypes: types, largestTensors } = inspectHeader(header);
  expect(types.reduce((sum, { tensors }) => sum + tensors, 0)).toBe(header.tensors.length);
  expect(types.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(Math.max(...header.tensors.map(({ bytes }) => bytes))).toBe(largestTensors[0]?.bytes);
});

test('gemma-3-12b: five layers of six see only a window of 1024 tokens', async () => {
  const layers = inspectLayers(describeModel(await headerOf('gemma-3-12b', 'Q5_K_M')));
  expect(layers.count).toBe(48);
  expect(layers.window).toEqual({ tokens: 1024, layers: 40, chunked: false });
});
