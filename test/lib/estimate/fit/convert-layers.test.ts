import { expect, test } from '@jest/globals';
import { convertToWholeLayers } from '../../../../src/lib/estimate/fit/convert-layers.js';
import type { DeviceLayers, LayerSplit, MeasureSplit, Overflow } from '../../../../src/lib/estimate/fit/layer-split.js';

/** GiB of a layer of which so much stays on its device. */
const TAKES: Readonly<Record<Overflow, number>> = {
  experts: 0.25,
  'attention-stays': 0.3,
  'up-stays': 0.6,
  'up-and-gate-stay': 0.8,
};

/** A whole layer takes 1 GiB, one without experts a quarter; the first of these what stays of it. The output head counts as a layer. */
const measure: MeasureSplit = (split) => ({
  split,
  bytes: split.map(({ layers, partial, overflow }) =>
    partial <= 0 ? layers : layers - partial + TAKES[overflow] + 0.25 * (partial - 1),
  ),
});
const without = (layers: number, partial = layers): DeviceLayers => ({
  ...{ layers, partial, overflow: 'experts', overflowsToNext: false },
});
/** Eight layers without experts, and the output head at the end. */
const START: LayerSplit = [without(3), without(6, 5)];
const converted = (...targets: number[]) => convertToWholeLayers(targets, measure, measure(START)).split;

test('where the first device holds all layers whole, the last keeps the output head', () => {
  expect(converted(8, 8)).toMatchObject([
    { layers: 8, partial: 0 },
    { layers: 1, partial: 0 },
  ]);
});

test('a device takes whole layers until it is full, then as much as it holds of one more; the next has the rest', () => {
  // Four whole ones; a fifth with attention, up and gate is 4.8 GiB.
  expect(converted(4.9, 100)).toMatchObject([
    { layers: 5, partial: 1, overflow: 'up-and-gate-stay', overflowsToNext: true },
    { layers: 4, partial: 0 },
  ]);
  // Without its gate 4.6, of attention alone 4.3, and not even that.
  expect(converted(4.7, 100)[0]).toMatchObject({ layers: 5, partial: 1, overflow: 'up-stays' });
  expect(converted(4.5, 100)[0]).toMatchObject({ layers: 5, partial: 1, overflow: 'attention-stays' });
  expect(converted(4.2, 100)[0]).toMatchObject({ layers: 4, partial: 0 });
});
