import { describe, expect, test } from '@jest/globals';
import { requantise } from '../../../../src/lib/model/quantization/quant-recipe.js';
import { listedVariants } from '../../../../src/lib/preflight/advice/variants.js';
import { resolveModel } from '../../../../src/lib/preflight/resolve-model.js';
import { bundledShape } from '../../../support/models/bundled-shape.js';

const resolved = resolveModel('hf:owner/repo:Q4_K_M', [], undefined);
const sibling = (quantization: string, bytes: number) => ({
  quantization,
  bytes,
  source: `hf:owner/repo/coder-${quantization}.gguf`,
  file: `coder-${quantization}.gguf`,
  isTagged: true,
});

describe('quantizations that a repository has', () => {
  test('count as long as they are published, where that is more than their recipe makes', async () => {
    const shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
    const bytes = (requantise(shape, 'Q3_K_M')?.fileBytes ?? 0) + 123_456_789;
    const [variant] = listedVariants(shape, resolved, [sibling('Q3_K_M', bytes)]);
    expect(variant?.shape.fileBytes).toBe(bytes);
  });

  test('are smaller only where they are shorter', async () => {
    const shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
    const smaller = (bytes: number) => listedVariants(shape, resolved, [sibling('Q3_K_M', bytes)]).length;
    expect([smaller(shape.fileBytes - 1), smaller(shape.fileBytes)]).toEqual([1, 0]);
  });

  test('are not proposed below 2.4 bits a weight', async () => {
    const shape = await bundledShape('qwen-2.5-coder-32b', 'Q4_K_M');
    const ofBits = (bits: number) => Math.ceil((shape.parameterCount * bits) / 8);
    const proposed = (bits: number) => listedVariants(shape, resolved, [sibling('Q2_K', ofBits(bits))]);
    expect(proposed(2.39)).toEqual([]);
    expect(proposed(2.41).map(({ quantization }) => quantization)).toEqual(['Q2_K']);
  });
});
