import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fewestLayers } from '../../../../../src/lib/estimate/context/fewest-layers.js';
import { withRepeats } from '../../../../../src/lib/estimate/context/layers.js';
import { cpuBackend } from '../../../../../src/lib/estimate/ggml/cpu/cpu-and-blas.js';
import { allocateGraph } from '../../../../../src/lib/estimate/ggml/allocation/graph-allocator.js';
import { allocateWhole } from '../../../../../src/lib/estimate/ggml/repeats/settled-allocation.js';
import { Layouts } from '../../../../../src/lib/estimate/ggml/repeats/layouts.js';
import { TensorSizes } from '../../../../../src/lib/estimate/ggml/allocation/tape.js';
import { beginsOf, tapeOf } from '../../../../support/models/toy-layers.js';

const BACKENDS = [cpuBackend];

function bytesOf(model: string, reach: number): { few: unknown; all: unknown; leftOut: number } {
  const kinds = [...model].map((letter) => letter.charCodeAt(0));
  const { layers, others } = withRepeats(fewestLayers(kinds, { reach, times: 2 }));
  const tape = tapeOf(model, layers);
  const sizes = new TensorSizes(BACKENDS, tape.tensors);
  const slices = { ...others, layers, begins: beginsOf(tape) };
  const few = allocateWhole({ tape, sizes, slices }, BACKENDS, new Layouts())?.bytes ?? null;
  const every = tapeOf(
    model,
    [...model].map((_, layer) => layer),
  );
  const all = allocateGraph(every, new TensorSizes(BACKENDS, every.tensors), BACKENDS);
  const leftOut = others.repeats.reduce((sum, { start, end }) => sum + end - start, 0);
  return { few, all, leftOut };
}

/** Few layers of a model as they are planned for so many tokens, and what all take. */
function plannedFor(model: string, tokens: number) {
  const { layers, others } = withRepeats(
    fewestLayers(
      [...model].map(() => 0),
      { reach: 1, times: 2 },
    ),
  );
  const tape = tapeOf(model, layers, tokens);
  const planned = {
    tape,
    sizes: new TensorSizes(BACKENDS, tape.tensors),
    slices: { ...others, layers, begins: beginsOf(tape) },
  };
  const every = tapeOf(
    model,
    [...model].map((_, layer) => layer),
    tokens,
  );
  return {
    planned,
    last: layers.at(-2) ?? 0,
    all: allocateGraph(every, new TensorSizes(BACKENDS, every.tensors), BACKENDS),
  };
}

describe('a tape that says what another one said', () => {
  const MODEL = 'W'.repeat(30);

  test('is laid out as that one, with its own sizes', () => {
    const layouts = new Layouts();
    const [one, many] = [plannedFor(MODEL, 1), plannedFor(MODEL, 64)];
    const first = allocateWhole(one.planned, BACKENDS, layouts);
    const second = allocateWhole(many.planned, BACKENDS, layouts);
    expect(first?.bytes).toEqual(one.all);
    expect(second?.bytes).toEqual(many.all);
    expect(second?.layout).toBe(first?.layout);
  });

  test('is not where a layer that stands for others has results of another size', () => {
    const layouts = new Layouts();
    const { planned, last } = plannedFor(MODEL, 1);
    expect(allocateWhole(planned, BACKENDS, layouts)).not.toBeNull();
    const other = plannedFor(MODEL.slice(0, last) + 'N' + MODEL.slice(last + 1), 1);
    expect(allocateWhole(other.planned, BACKENDS, layouts)).toBeNull();
  });
});

describe('buffers of a model whose layers repeat', () => {
  test.each([
    ['P'.repeat(40), 1],
    ['PPPA'.repeat(16), 1],
    ['PPPPPA'.repeat(10) + 'PP', 1],
    ['A' + 'PB'.repeat(30), 2],
  ])('%s: are those of every layer, many of which are not gone through', (model, reach) => {
    const { few, all, leftOut } = bytesOf(model, reach);
    expect(few).toEqual(all);
    expect(leftOut).toBeGreaterThan(model.length / 3);
  });

  // Inputs of their own are placed before all steps.
  test.each([
    ['I'.repeat(30), 1],
    ['PPI'.repeat(20), 1],
  ])('%s: are those of every layer, since each has an input of its own', (model, reach) => {
    const { few, all } = bytesOf(model, reach);
    expect(few).toEqual(all);
  });

  test('are those of every layer for whatever period, beginning and end', () => {
    const letters = fc.string({ unit: fc.constantFrom('P', 'A', 'I'), minLength: 1, maxLength: 5 });
    const model = fc.tuple(letters, letters, fc.integer({ min: 8, max: 14 }), letters);
    fc.assert(
      fc.property(model, ([start, period, times, end]) => {
        const { few, all } = bytesOf(start + period.repeat(times) + end, 1);
        expect(few ?? all).toEqual(all);
      }),
      { numRuns: 60 },
    );
  });
});
