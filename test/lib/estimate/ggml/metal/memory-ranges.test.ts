import { expect, test } from '@jest/globals';
import { Accesses, MemoryRanges, touchedBy } from '../../../../../src/lib/estimate/ggml/metal/memory-ranges.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { type Buffer, F32, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';

const WIDTH = 16;
const BYTES = 4 * WIDTH;
const CACHE: Buffer = { device: 0, usage: 'cache', repacked: false };
const WEIGHTS: Buffer = { device: 0, usage: 'weights', repacked: false };

function external(buffer: Buffer, address: number | null, width = WIDTH): Tensor {
  return Object.assign(ggml.newTensor(F32, width), { buffer, address });
}

/** Whether the last of some nodes may run beside those before it. */
function mayRunBeside(nodes: readonly Tensor[]): boolean {
  const accesses = new Accesses(nodes, [...nodes.keys(), nodes.length]);
  const ranges = new MemoryRanges(accesses, touchedBy(accesses));
  for (let group = 0; group + 1 < nodes.length; group++) ranges.add(group);
  return ranges.allows(nodes.length - 1);
}

/** Writes a row of a cache. */
function written(cache: Tensor): Tensor {
  return ggml.view1d(cache, cache.ne[0], 0);
}

test.each([
  ['reads what one of them writes', BYTES, false],
  ['reads what ends where that begins', 0, false],
  ['reads what begins where that ends', 2 * BYTES, true],
])('a node that %s in a cache may run beside them: %s', (_, address, may) => {
  const cache = external(CACHE, BYTES);
  const reader = ggml.sqr(external(CACHE, address));
  expect(mayRunBeside([written(cache), reader])).toBe(may);
});

test('two that write a state without bytes may run beside each other, and not two that write one that has some', () => {
  const other = written(external(CACHE, BYTES));
  const [empty, state] = [external(CACHE, 4 * BYTES, 0), external(CACHE, 4 * BYTES)];
  expect(mayRunBeside([other, written(empty), written(empty)])).toBe(true);
  expect(mayRunBeside([other, written(state), written(state)])).toBe(false);
});

test('two that read a weight may run beside each other, and not beside one that shows a view of another', () => {
  const [one, other] = [external(WEIGHTS, null), external(WEIGHTS, null)];
  expect(mayRunBeside([ggml.sqr(one), ggml.sqr(one)])).toBe(true);
  expect(mayRunBeside([ggml.view1d(other, WIDTH, 0), ggml.sqr(one)])).toBe(false);
});
