import { describe, expect, it } from '@jest/globals';
import {
  quantizationInName,
  quantizationLabel,
  stemOf,
  withOtherQuantization,
} from '../../../../src/lib/gguf/names/file-name.js';
import { modelFiles } from '../../../../src/lib/source/hub/hub-files.js';

describe('a file name', () => {
  it.each([
    ['Kimi-BF16-384x14B-Q2_K_S.gguf', 'Q2_K_S'],
    ['M-Q4_K_M-00001-of-00003.gguf', 'Q4_K_M'],
    ['gemma-3-4b-it.gguf', undefined],
    ['model.F16.gguf', 'F16'],
    ['Q4_K_M/model.gguf', undefined],
  ])('names its quantization last: %s', (path, quantization) => {
    expect(quantizationInName(path)?.name).toBe(quantization);
  });

  it.each([
    ['./Kimi-BF16-384x14B-Q2_K_S.gguf', './Kimi-BF16-384x14B-Q8_0.gguf'],
    ['./Q4_K_M/M-Q4_K_M.gguf', './Q8_0/M-Q8_0.gguf'],
    ['hf:u/x/Q4_K_M/M-Q4_K_M-00001-of-00002.gguf', 'hf:u/x/Q8_0/M-Q8_0-00001-of-00002.gguf'],
    ['./q4_k_m/m-q4_k_m.gguf', './q8_0/m-q8_0.gguf'],
    ['Q4_K_M/model.gguf', 'Q8_0/model.gguf'],
    ['BF16/M-Q4_K_M.gguf', 'BF16/M-Q8_0.gguf'],
    ['UD-IQ2_M/M-UD-IQ2_M-00001-of-00002.gguf', 'Q8_0/M-Q8_0-00001-of-00002.gguf'],
    ['STUD-IQ2_M.gguf', 'STUD-Q8_0.gguf'],
  ])('of another quantization than %s is %s', (path, other) => {
    expect(withOtherQuantization(path, 'Q8_0')).toBe(other);
  });

  it("keeps Unsloth's mixes apart from plain files of the same types", () => {
    expect(quantizationLabel('M-UD-Q4_K_XL.gguf')?.name).toBe('UD-Q4_K_XL');
    expect(withOtherQuantization('./M-Q4_K_M.gguf', 'UD-Q4_K_XL')).toBe('./M-UD-Q4_K_XL.gguf');
    expect(withOtherQuantization('./M-UD-Q4_K_XL.gguf', 'UD-Q5_K_XL')).toBe('./M-UD-Q5_K_XL.gguf');
  });

  it('that says no quantization has none to replace', () => {
    expect(withOtherQuantization('./model.gguf', 'Q8_0')).toBeUndefined();
    expect(stemOf('a/M-00001-of-00002.gguf')).toBe('a/M');
  });

  it('may be as long as a listing', () => {
    expect(quantizationInName(`${'-Q4_'.repeat(60_000)}K.gguf`)?.name).toBe('Q4_K');
  });

  it('may be one of sixty thousand that claim a thousand parts each', () => {
    const entries = Array.from({ length: 60_000 }, (_, i) => ({ path: `m${i}-00001-of-01000.gguf`, bytes: 1 }));
    expect(modelFiles(entries)).toEqual([]);
  });
});
