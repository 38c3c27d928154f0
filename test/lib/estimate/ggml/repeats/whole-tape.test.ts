import { describe, expect, test } from '@jest/globals';
import { fewestLayers } from '../../../../../src/lib/estimate/context/fewest-layers.js';
import { cpuBackend } from '../../../../../src/lib/estimate/ggml/cpu/cpu-and-blas.js';
import { type Tape, TensorSizes } from '../../../../../src/lib/estimate/ggml/allocation/tape.js';
import { wholeTape } from '../../../../../src/lib/estimate/ggml/repeats/whole-tape.js';
import { beginsOf, tapeOf } from '../../../../support/models/toy-layers.js';

/** All that the allocator sees. */
function saidBy({ leafs, tensors, roots, starts, sources }: Tape): unknown {
  return tensors.map(({ op, isInput, type }, slot) => [
    slot < leafs ? 'leaf' : op,
    isInput,
    type.name,
    roots[slot],
    [...sources.subarray(starts[slot], starts[slot + 1])],
  ]);
}

function wholeOf(model: string, reach: number): { whole: Tape | null; planned: number } {
  const kinds = [...model].map((letter) => letter.charCodeAt(0));
  const { layers, others } = fewestLayers(kinds, { reach, times: 2 });
  const tape = tapeOf(model, layers);
  const sizes = new TensorSizes([cpuBackend], tape.tensors);
  return {
    whole: wholeTape(tape, sizes, { ...others, layers, begins: beginsOf(tape) })?.tape ?? null,
    planned: layers.length,
  };
}

describe('the tape of all layers, from that of fewer', () => {
  test.each([
    ['P'.repeat(20), 1],
    ['PPPA'.repeat(6), 1],
    ['PPAPPPPPA'.repeat(4) + 'PP', 1],
    ['I'.repeat(12), 1],
    ['PPI'.repeat(7) + 'P', 1],
    ['PAIPPAIAPPAI'.repeat(5), 1],
    ['B'.repeat(12), 2],
    ['PPPB'.repeat(8), 2],
    ['PA' + 'F'.repeat(9), 1],
  ])('says of %s what planning every layer says', (model, reach) => {
    const { whole, planned } = wholeOf(model, reach);
    expect(planned).toBeLessThan(model.length);
    expect(whole && saidBy(whole)).toEqual(
      saidBy(
        tapeOf(
          model,
          [...model].map((_, layer) => layer),
        ),
      ),
    );
  });

  test.each([
    ['B'.repeat(12), 1],
    ['M'.repeat(12), 1],
    ['M'.repeat(16), 2],
  ])('is not guessed for %s, which looks further than the %d layers beside it', (model, reach) => {
    expect(wholeOf(model, reach).whole).toBeNull();
  });
});
