import { describe, expect, test } from '@jest/globals';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import { requantise, requantiseHeader } from '../../../../src/lib/model/quantization/quant-recipe.js';
import { readBundledHeader } from '../../../../src/lib/source/bundled-header.js';
import { bundledNames, bundledShape } from '../../../support/models/bundled-shape.js';

const CODER = 'qwen-2.5-coder-32b';
const CODER_QUANTIZATIONS = ['Q2_K', 'Q3_K_M', 'Q4_K_M', 'Q8_0'];

const typesOf = ({ tensors }: ModelShape): Record<string, string> =>
  Object.fromEntries([...tensors.values()].map(({ name, type }) => [name, type.name]));

const dataBytes = (shape: ModelShape): number => shape.fileBytes - (shape.files[0]?.dataOffsetBytes ?? 0);

describe('requantise', () => {
  const pairs = CODER_QUANTIZATIONS.flatMap((from) => CODER_QUANTIZATIONS.map((to) => [from, to] as const));

  test.each(pairs)('a 32B in %s becomes the same file in %s that its publisher has', async (from, to) => {
    const [source, published] = [await bundledShape(CODER, from), await bundledShape(CODER, to)];
    const made = requantise(source, to);
    expect(made && typesOf(made)).toEqual(typesOf(published));
    expect(made && dataBytes(made)).toBe(dataBytes(published));
  });

  const known = bundledNames().filter(([, quantization]) => quantization !== 'MXFP4');

  test.each(known)('%s in %s comes out of its own recipe as it went in', async (id, quantization) => {
    const shape = await bundledShape(id, quantization);
    const made = requantise(shape, quantization);
    expect(made && typesOf(made)).toEqual(typesOf(shape));
  });

  test('a model trained in MXFP4 has no other quantization', async () => {
    expect(requantise(await bundledShape('gpt-oss-20b', 'MXFP4'), 'Q4_K_M')).toBeUndefined();
  });

  test('a quantization without a recipe is not guessed', async () => {
    expect(requantise(await bundledShape(CODER, 'Q4_K_M'), 'UD-Q4_K_XL')).toBeUndefined();
  });

  test('rows that no block of 256 divides, fall back to blocks of 32', async () => {
    const shape = await bundledShape('gemma-4-26b-a4b', 'Q4_K_M');
    const odd = [...shape.tensors.values()].filter(({ dims }) => dims.length > 1 && (dims[0] ?? 0) % 256 !== 0);
    expect(odd.length).toBeGreaterThan(0);
    const made = requantise(shape, 'Q3_K_M');
    for (const { name } of odd) {
      expect(['Q4_0', 'Q5_0', 'Q5_1', 'Q8_0', 'F16', 'F32']).toContain(made?.tensors.get(name)?.type.name);
    }
  });

  test('a header says its new quantization, and describes as the shape does', async () => {
    const bundled = readBundledHeader(CODER, 'Q4_K_M');
    if (bundled === undefined) throw new Error('not bundled');
    const header = requantiseHeader(bundled.header, describeModel(bundled.header), 'Q5_K_M');
    const shape = header && describeModel(header);
    expect(shape?.quantization).toBe('Q5_K_M');
    expect(shape?.fileBytes).toBe(requantise(describeModel(bundled.header), 'Q5_K_M')?.fileBytes);
  });
});

test('where four query heads share a KV head, V gets more bits', async () => {
  const shape = await bundledShape('llama-3.1-8b', 'Q5_K_M');
  expect([shape.hparams.nHead[0], shape.hparams.nHeadKv[0]]).toEqual([32, 8]);
  const typeOfV = (name: string) => requantise(shape, name)?.tensors.get('blk.0.attn_v.weight')?.type.name;
  expect([typeOfV('IQ4_XS'), typeOfV('Q2_K')]).toEqual(['Q5_K', 'Q4_K']);
});

test('a quantization is the same in small letters', async () => {
  const shape = await bundledShape('llama-3.1-8b', 'Q5_K_M');
  const [small, large] = ['q4_k_m', 'Q4_K_M'].map((name) => requantise(shape, name));
  expect(small?.quantization).toBe('Q4_K_M');
  expect(small?.fileBytes).toBe(large?.fileBytes);
});
