import { beforeAll } from '@jest/globals';
import fc from 'fast-check';
import type { ModelShape } from '../../../src/lib/model/model-shape.js';
import { requantise } from '../../../src/lib/model/quantization/quant-recipe.js';
import { RECIPES } from '../../../src/lib/model/quantization/recipes.js';
import type { ModelVariant } from '../../../src/lib/preflight/advice/advice.js';
import { bundledShape } from './bundled-shape.js';

const MODELS = [
  ['qwen-2.5-coder-32b', 'Q4_K_M'],
  ['llama-3.1-8b', 'Q5_K_M'],
  ['gemma-3-12b', 'Q5_K_M'],
  ['qwen-3-30b-a3b', 'Q4_K_M'],
  ['gpt-oss-20b', 'MXFP4'],
  ['lfm2-1.2b', 'Q4_K_M'],
  ['phi-4', 'Q4_K_M'],
] as const;

/** Bundled models of several families by their places in one list, once the tests of a file begin. */
export function usualModels(): { readonly count: number; at(index: number): ModelShape } {
  let shapes: readonly ModelShape[] = [];
  beforeAll(async () => {
    shapes = await Promise.all(MODELS.map(([id, quantization]) => bundledShape(id, quantization)));
  });
  return { count: MODELS.length, at: (index) => shapes[index] as ModelShape };
}

export const anyModel = fc.nat(MODELS.length - 1);
export const anyContext = (most = 256) => fc.integer({ min: 1, max: most }).map((steps) => steps * 256);
export const anyAccelerator = fc.constantFrom('metal', 'cpu') as fc.Arbitrary<'metal' | 'cpu'>;

/** The model in every usual quantization. */
export function variantsOf(shape: ModelShape): readonly ModelVariant[] {
  const usual = Object.entries(RECIPES).filter(([, { isRare, isTrained }]) => !isRare && !isTrained);
  return usual.flatMap(([quantization]): ModelVariant[] => {
    const other = requantise(shape, quantization);
    return other === undefined ? [] : [{ quantization, shape: other, isProven: true, isEstimated: true }];
  });
}
