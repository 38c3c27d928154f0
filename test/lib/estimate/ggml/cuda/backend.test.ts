import { describe, expect, test } from '@jest/globals';
import type { Backend } from '../../../../../src/lib/estimate/ggml/backend.js';
import { cudaBackend } from '../../../../../src/lib/estimate/ggml/cuda/backend.js';
import * as ggml from '../../../../../src/lib/estimate/ggml/ops/ops.js';
import { F32, type Op, type Tensor } from '../../../../../src/lib/estimate/ggml/tensor.js';
import { ggmlTypeByName } from '../../../../../src/lib/gguf/ggml-types.js';
import { llamaCpp } from '../../../../../src/lib/runtime/llama-cpp.js';

const CUDA: Backend = cudaBackend(0, llamaCpp('v0.5.0').switches, 132);

const EVERY_TYPE = (
  'F32 F16 BF16 I32 Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 MXFP4 NVFP4 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ1_M IQ1_S IQ2_S IQ2_XS IQ2_XXS ' +
  'IQ3_S IQ3_XXS IQ4_NL IQ4_XS TQ1_0 TQ2_0'
).split(' ');

const tensor = (name: string, ...ne: readonly [number, number?, number?, number?]): Tensor => {
  const type = ggmlTypeByName(name);
  if (!type) throw new Error(name);
  return ggml.newTensor(type, ...ne);
};
const node = (op: Op, type: Tensor['type'], ne: Tensor['ne'], ...sources: Tensor[]): Tensor =>
  ggml.result(op, type, ne, ...sources);
/** The types, of all, with which the card runs an op. */
const runs = (op: (type: string) => Tensor): string => EVERY_TYPE.filter((type) => CUDA.supportsOp(op(type))).join(' ');

/** `ggml_backend_cuda_device_supports_op` (`ggml-cuda.cu`, llama.cpp v0.5.0), type by type. */
describe('a CUDA card', () => {
  test('multiplies by matrices of all types but integers and ternary ones', () => {
    const expected =
      'F32 F16 BF16 Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 MXFP4 NVFP4 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ1_M IQ1_S IQ2_S IQ2_XS IQ2_XXS ' +
      'IQ3_S IQ3_XXS IQ4_NL IQ4_XS';
    expect(runs((type) => ggml.mulMat(tensor(type, 256, 8), tensor('F32', 256, 4)))).toBe(expected);
    // What is f16 is multiplied by what is f16 only.
    expect(runs((type) => node('MUL_MAT', F32, [8, 4, 1, 1], tensor(type, 256, 8), tensor('F16', 256, 4)))).toBe('F16');
  });

  test('looks up rows of most, of some only in whole super-blocks of 256', () => {
    const rows = (width: number) => (type: string) => ggml.getRows(tensor(type, width, 8), tensor('I32', 4));
    const most =
      'F32 F16 BF16 I32 Q1_0 Q2_0 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 MXFP4 Q2_K Q3_K Q4_K Q5_K Q6_K IQ1_M IQ1_S IQ2_S IQ2_XS IQ2_XXS IQ3_S ' +
      'IQ3_XXS IQ4_NL IQ4_XS';
    expect(runs(rows(512))).toBe(most);
    expect(['IQ4_NL', 'MXFP4', 'Q4_0'].map((type) => CUDA.supportsOp(rows(320)(type)))).toEqual([false, false, true]);
  });

  test('writes rows of floats into caches of some types, and of f16 into those of f16', () => {
    const written = (from: string) => (type: string) =>
      node('SET_ROWS', tensor(type, 256).type, [256, 8, 1, 1], tensor(from, 256, 4), tensor('I32', 4));
    expect(runs(written('F32'))).toBe('F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 IQ4_NL');
    expect(runs(written('F16'))).toBe('F16');
  });

  test('copies between floats, quantizes some, reads some of these back, and whatever lies alike', () => {
    const copied = (from: string, to: string) =>
      node('CPY', tensor(to, 256).type, [256, 8, 1, 1], tensor(from, 256, 8), tensor(to, 256, 8));
    const floats = 'F32 F16 BF16';
    expect(runs((type) => copied('F32', type))).toBe(`${floats} I32 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 IQ4_NL`);
    expect(runs((type) => copied(type, 'F32'))).toBe(`${floats} I32 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0`);
    expect(runs((type) => copied('F16', type))).toBe(floats);
    expect(runs((type) => copied(type, type))).toBe(EVERY_TYPE.join(' '));
    const turned = ggml.permute(tensor('Q4_K', 256, 8, 4), 0, 2, 1, 3);
    expect(CUDA.supportsOp(node('CPY', turned.type, turned.ne, turned, tensor('Q4_K', 256, 4, 8)))).toBe(false);
  });

  test('adds, multiplies and repeats what is f32 or f16', () => {
    for (const op of ['ADD', 'SUB', 'MUL', 'DIV'] as const) {
      expect(runs((type) => node(op, F32, [256, 8, 1, 1], tensor(type, 256, 8), tensor('F32', 256, 8)))).toBe(
        'F32 F16',
      );
      expect(runs((type) => node(op, F32, [256, 8, 1, 1], tensor('F32', 256, 8), tensor(type, 256, 8)))).toBe(
        'F32 F16',
      );
    }
    expect(runs((type) => node('REPEAT', tensor(type, 256).type, [256, 8, 1, 1], tensor(type, 256)))).toBe('F32 F16');
  });

  test('indexes with 32 or 64 heads of 128, on keys of some types', () => {
    const indexed = (type: string, size = 128, heads = 64): Tensor =>
      node('LIGHTNING_INDEXER', F32, [4, 2, 1, 1], tensor('F32', size, heads, 2), tensor(type, size, 4));
    expect(runs((type) => indexed(type))).toBe('F32 F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0');
    expect(
      [indexed('F16', 128, 32), indexed('F16', 128, 16), indexed('F16', 64, 64)].map((op) => CUDA.supportsOp(op)),
    ).toEqual([...[true, false, false]]);
  });

  test('runs nothing that reads the memory of another', () => {
    const on = (device: number | 'cpu'): Tensor => {
      const matrix = Object.assign(tensor('F16', 256, 8), { buffer: { device, usage: 'weights', repacked: false } });
      return ggml.mulMat(matrix, tensor('F32', 256, 4));
    };
    expect([on(0), on('cpu'), on(1)].map((op) => CUDA.supportsOp(op))).toEqual([true, true, false]);
    expect(CUDA.supportsOp(node('CROSS_ENTROPY_LOSS' as Op, F32, [1, 1, 1, 1], tensor('F32', 4)))).toBe(false);
  });

  test('pads quantized rows to pieces of 512', () => {
    // 256 of 512 more in blocks of 34 bytes for each 32
    expect(CUDA.allocSize(tensor('Q8_0', 256, 4))).toBe(4 * 8 * 34 + 8 * 34);
    expect(CUDA.allocSize(tensor('Q8_0', 512, 4))).toBe(4 * 16 * 34);
    expect([CUDA.allocSize(tensor('F16', 256, 4)), CUDA.allocSize(tensor('I32', 3))]).toEqual([2048, 12]);
  });
});
