import { describe, expect, test } from '@jest/globals';
import { repacks } from '../../../../src/lib/estimate/weights/repacked-types.js';
import { ggmlTypeByName, type GgmlType } from '../../../../src/lib/gguf/ggml-types.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';

const matrix = (type: string, rows = 4096) => ({ dims: [4096, rows], type: ggmlTypeByName(type) as GgmlType });

describe('the CPU keeps a copy of a matrix in a layout of its own', () => {
  // Q8_0 has one for NEON with dotprod only, Q4_K for both (`ggml_repack_get_optimal_repack_type`).
  test.each<[accelerator: LaunchOptions['accelerator'], type: string, isCopied: boolean]>([
    ['metal', 'Q8_0', true],
    ['cuda', 'Q8_0', false],
    ['cpu', 'Q8_0', false],
    ['metal', 'Q4_K', true],
    ['cuda', 'Q4_K', true],
    ['metal', 'F16', false],
  ])(
    'of a machine with %s: %s %p, a Mac having an Arm processor and any other an x86',
    (accelerator, type, isCopied) => {
      expect(repacks({ accelerator, ctxSize: 4096 }, 'MUL_MAT', matrix(type))).toBe(isCopied);
    },
  );

  test('of the processor that is named, whatever computes beside it', () => {
    expect(repacks({ accelerator: 'cuda', ctxSize: 4096, cpuArch: 'arm' }, 'MUL_MAT', matrix('Q8_0'))).toBe(true);
  });

  test('only where its rows fill blocks of the layout, and unless --no-repack', () => {
    expect(repacks({ accelerator: 'cuda', ctxSize: 4096 }, 'MUL_MAT', matrix('Q4_K', 4092))).toBe(false);
    expect(repacks({ accelerator: 'cuda', ctxSize: 4096, repack: false }, 'MUL_MAT', matrix('Q4_K'))).toBe(false);
  });
});
