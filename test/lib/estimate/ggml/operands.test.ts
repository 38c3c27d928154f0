import { describe, expect, test } from '@jest/globals';
import { requireShares } from '../../../../src/lib/estimate/ggml/ops/operands.js';
import * as ggml from '../../../../src/lib/estimate/ggml/ops/ops.js';
import { F32, I32, I64, type Tensor } from '../../../../src/lib/estimate/ggml/tensor.js';

const floats = (...ne: [number, ...number[]]): Tensor => ggml.newTensor(F32, ...ne);
const refused = expect.objectContaining({ code: 'MODEL_GRAPH_INVALID', exitCode: 3 });

describe('operands that ggml aborts on', () => {
  test('a factor that does not fill the row it scales a whole number of times', () => {
    expect(ggml.mul(floats(64, 8), floats(32)).ne).toEqual([64, 8, 1, 1]);
    expect(() => ggml.mul(floats(64, 8), floats(48))).toThrow(refused);
    expect(() => ggml.add(floats(64, 510), floats(64, 512))).toThrow(refused);
  });

  test('rows for the cache that are not as long as its own', () => {
    const cache = floats(128, 256);
    expect(() => ggml.setRows(cache, floats(128, 8), ggml.newTensor(I64, 8))).not.toThrow();
    expect(() => ggml.setRows(cache, floats(64, 8), ggml.newTensor(I64, 8))).toThrow(refused);
    expect(() => ggml.setRows(cache, floats(128, 8), ggml.newTensor(I64, 4))).toThrow(refused);
  });

  test('sizes that are no whole numbers, which are cut to some there', () => {
    expect(ggml.reshape(floats(96, 2), 64, 3).ne).toEqual([64, 3, 1, 1]);
    expect(() => ggml.reshape(floats(96), 64, 1.5)).toThrow(refused);
    expect(() => ggml.contTo(floats(96), 64, 1.5)).toThrow(refused);
    expect(() => ggml.mulMatHadamard(floats(96), floats(64, 64))).toThrow(refused);
  });

  test('heads that do not get the same, and none', () => {
    expect(() => requireShares('channels', 4096, 32)).not.toThrow();
    expect(() => requireShares('channels', 4096, 3)).toThrow(refused);
    expect(() => requireShares('channels', 4096, 0)).toThrow(refused);
  });

  test('a gate and what it opens of different widths', () => {
    expect(() => ggml.glu(floats(64, 4), floats(32, 4), 'swiglu')).toThrow(refused);
  });

  test('a view of more than there is', () => {
    expect(ggml.view1d(floats(64), 32, 128).ne[0]).toBe(32);
    expect(ggml.view1d(floats(64), 0, 512).ne[0]).toBe(0);
    expect(() => ggml.view1d(floats(64), 33, 128)).toThrow(refused);
  });

  test('positions, sinks, biases by expert and halves that do not belong to what they are for', () => {
    expect(() => ggml.rope(floats(64, 4, 8), ggml.newTensor(I32, 32))).not.toThrow();
    expect(() => ggml.rope(floats(64, 4, 8), ggml.newTensor(I32, 7))).toThrow(refused);
    expect(() => ggml.softMax(floats(64, 8, 4), null, floats(3))).toThrow(refused);
    expect(() => ggml.addId(floats(64, 2, 8), floats(32, 4), ggml.newTensor(I32, 2, 8))).toThrow(refused);
    expect(() => ggml.concat(floats(64, 8), floats(64, 7), 0)).toThrow(refused);
  });
});
