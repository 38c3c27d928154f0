import { expect, test } from '@jest/globals';
import type { Backend, Scratch } from '../../../../src/lib/estimate/ggml/backend.js';
import * as ggml from '../../../../src/lib/estimate/ggml/ops/ops.js';
import { ScratchTally } from '../../../../src/lib/estimate/ggml/scratch-tally.js';
import { F32, type Tensor } from '../../../../src/lib/estimate/ggml/tensor.js';

const CPU = { memory: 'cpu' } as unknown as Backend;

/** A card that needs of its pool as many bytes as a node has numbers, and the library for sums. */
const card = (memory: string): Backend =>
  ({
    memory,
    scratch: ({ op, ne }: Tensor): Scratch => ({ pool: ne[0], library: op === 'ADD' ? 1000 : 0 }),
  }) as unknown as Backend;

const scaled = (size: number, backend: number): Tensor =>
  Object.assign(ggml.scale(ggml.newInput(F32, size)), { backend });
const added = (size: number, backend: number): Tensor =>
  Object.assign(ggml.add(ggml.newInput(F32, size), ggml.newInput(F32, size)), { backend });

function taken(backends: readonly Backend[], ...graphs: readonly (readonly Tensor[])[]): readonly number[] {
  const tally = new ScratchTally(backends);
  for (const nodes of graphs) tally.run(nodes);
  return tally.bytes;
}

test('a pool grows to the most that one node of all graphs needs, and a library is loaded once', () => {
  const one = [card('gpu0'), CPU];
  expect(taken(one, [scaled(30, 0), scaled(50, 0), scaled(40, 0)])).toEqual([50]);
  expect(taken(one, [added(30, 0), scaled(50, 0)], [scaled(45, 0)])).toEqual([1050]);
  expect(taken(one, [scaled(50, 0), added(20, 0)])).toEqual([1050]);
});

test('each GPU has its own, and the CPU none', () => {
  expect(taken([card('gpu0'), card('gpu1'), CPU], [scaled(30, 0), added(7, 1), scaled(900, 2)])).toEqual([30, 1007]);
});

test('without a rule of the first backend nothing is counted', () => {
  expect(taken([{ memory: 'gpu0' } as unknown as Backend, CPU], [added(30, 0)])).toEqual([0]);
});
