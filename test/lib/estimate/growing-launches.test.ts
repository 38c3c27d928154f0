import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { totalBytes } from '../../../src/lib/estimate/memory-estimate.js';
import type { ModelShape } from '../../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { anyAccelerator, anyContext, anyModel, usualModels, variantsOf } from '../../support/models/usual-models.js';

const { at: shapeAt } = usualModels();
const RUNS = { numRuns: 15 };

const bytes = (shape: ModelShape, launch: LaunchOptions): number => totalBytes(estimateMemory(shape, launch));

describe('what a launch needs', () => {
  test('never falls with more context', () => {
    fc.assert(
      fc.property(anyModel, anyAccelerator, anyContext(), anyContext(16), (model, accelerator, ctxSize, more) => {
        const launch = { accelerator, ctxSize };
        expect(bytes(shapeAt(model), { ...launch, ctxSize: ctxSize + more })).toBeGreaterThanOrEqual(
          bytes(shapeAt(model), launch),
        );
      }),
      RUNS,
    );
  });

  test('never falls with twice the slots on one KV cache; numbers that do not divide the batch round it up', () => {
    fc.assert(
      fc.property(
        anyModel,
        anyAccelerator,
        anyContext(64),
        fc.constantFrom(1, 2, 4, 8),
        (model, accelerator, ctxSize, parallel) => {
          const launch = { accelerator, ctxSize, kvUnified: true };
          expect(bytes(shapeAt(model), { ...launch, parallel: parallel * 2 })).toBeGreaterThanOrEqual(
            bytes(shapeAt(model), { ...launch, parallel }),
          );
        },
      ),
      RUNS,
    );
  });

  test('never falls with twice the slots of as much context each; dividing one context among more can need less', () => {
    fc.assert(
      fc.property(
        anyModel,
        anyAccelerator,
        anyContext(16),
        fc.constantFrom(1, 2, 4, 8),
        (model, accelerator, each, slots) => {
          const launch = (parallel: number) => ({ accelerator, parallel, kvUnified: false, ctxSize: each * parallel });
          expect(bytes(shapeAt(model), launch(slots * 2))).toBeGreaterThanOrEqual(bytes(shapeAt(model), launch(slots)));
        },
      ),
      RUNS,
    );
    const rounded = (parallel: number) => ({ accelerator: 'metal', ctxSize: 256, kvUnified: true, parallel }) as const;
    expect(bytes(shapeAt(0), rounded(8))).toBeLessThan(bytes(shapeAt(0), rounded(7)));
    const divided = (parallel: number) =>
      ({ accelerator: 'metal', parallel, ctxSize: 23552, flashAttn: 'off' }) as const;
    expect(bytes(shapeAt(0), divided(2))).toBeLessThan(bytes(shapeAt(0), divided(1)));
  });

  test('never falls with a larger ubatch', () => {
    fc.assert(
      fc.property(
        anyModel,
        anyAccelerator,
        anyContext(64),
        fc.constantFrom(32, 64, 128, 256, 512),
        (model, accelerator, ctxSize, ubatchSize) => {
          const launch = { accelerator, ctxSize };
          expect(bytes(shapeAt(model), { ...launch, ubatchSize: ubatchSize * 2 })).toBeGreaterThanOrEqual(
            bytes(shapeAt(model), { ...launch, ubatchSize }),
          );
        },
      ),
      RUNS,
    );
  });

  test('never falls with more bits in the KV cache, nor with more in the weights', () => {
    fc.assert(
      fc.property(anyModel, anyContext(64), (model, ctxSize) => {
        const shape = shapeAt(model);
        const cached = (['q4_0', 'q8_0', 'f16', 'f32'] as const).map((type) =>
          // v0.8.0 aborts on Phi 4 with a quantized cache
          bytes(shape, { accelerator: 'metal', ctxSize, cacheTypeK: type, cacheTypeV: type, llamaCpp: 'v0.5.0' }),
        );
        expect(cached).toEqual([...cached].sort((a, b) => a - b));
        const weighed = [...variantsOf(shape)]
          .sort((a, b) => a.shape.fileBytes - b.shape.fileBytes)
          .map((variant) => bytes(variant.shape, { accelerator: 'metal', ctxSize }));
        expect(weighed).toEqual([...weighed].sort((a, b) => a - b));
      }),
      { numRuns: 5 },
    );
  });
});
