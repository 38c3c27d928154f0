import { describe, expect, test } from '@jest/globals';
import { quantizationInName } from '../../../../src/lib/gguf/names/file-name.js';
import { chooseModel, modelFiles } from '../../../../src/lib/source/hub/hub-files.js';

const filesOf = (...paths: string[]) => modelFiles(paths.map((path) => ({ path, bytes: 1 })));
const chosen = (quantization: string | undefined, ...paths: string[]) =>
  chooseModel(filesOf(...paths), quantization)?.path;

describe('the quantization in a file name', () => {
  test.each([
    ['Qwen2.5-Coder-32B-Instruct-Q4_K_M.gguf', 'Q4_K_M'],
    ['ggml-model-q4_0.gguf', 'Q4_0'],
    ['model.i1-IQ2_XXS.gguf', 'IQ2_XXS'],
    ['Qwen3-30B-A3B-UD-Q4_K_XL.gguf', 'Q4_K_XL'],
    ['dir/m.Q5_K_S-00001-of-00002.gguf', 'Q5_K_S'],
    ['gpt-oss-20b-mxfp4.gguf', 'MXFP4'],
    ['tinyllama-BF16.gguf', 'BF16'],
    ['phi3_q4.gguf', 'Q4'],
    ['Meta-Llama-3-8B.gguf', undefined],
    ['model-F7.gguf', undefined],
  ])('%s: %s', (path, quantization) => expect(quantizationInName(path)?.name).toBe(quantization));
});

describe('the model llama-server would take', () => {
  test('is Q4_K_M, else Q8_0, else the first', () => {
    expect(chosen(undefined, 'a-Q2_K.gguf', 'a-Q8_0.gguf', 'a-Q4_K_M.gguf')).toBe('a-Q4_K_M.gguf');
    expect(chosen(undefined, 'a-Q2_K.gguf', 'a-Q8_0.gguf')).toBe('a-Q8_0.gguf');
    expect(chosen(undefined, 'a-Q3_K.gguf', 'a-Q2_K.gguf')).toBe('a-Q3_K.gguf');
  });

  test('is never a projector, a draft or an importance matrix', () => {
    expect(chosen(undefined, 'mmproj-Q4_K_M.gguf', 'imatrix-Q4_K_M.gguf', 'mtp-m-Q4_K_M.gguf', 'm-F16.gguf')).toBe(
      'm-F16.gguf',
    );
    expect(chosen(undefined, 'gemma-mtp-Q4_K_M.gguf', 'm-F16.gguf')).toBe('m-F16.gguf');
    for (const word of ['mtp-', 'eagle3-', 'dflash-', 'dspark-']) {
      expect([word, filesOf(`gemma-${word}Q4_K_M.gguf`)[0]?.kind]).toEqual([word, 'draft']);
    }
  });

  test('is what was asked for or nothing', () => {
    expect(chosen('q5_k_m', 'a-Q4_K_M.gguf', 'a-Q5_K_M.gguf')).toBe('a-Q5_K_M.gguf');
    expect(chosen('UD-Q4_K_XL', 'a-Q4_K_XL.gguf', 'a-UD-Q4_K_XL.gguf')).toBe('a-UD-Q4_K_XL.gguf');
    expect(chosen('Q4_K', 'a-Q4_K_M.gguf')).toBeUndefined();
    expect(chosen('.*', 'a-Q4_K_M.gguf')).toBeUndefined();
  });

  test('is a split one by its first part, if all parts are there', () => {
    expect(chosen(undefined, 'Q4_K_M/a-00002-of-00002.gguf', 'Q4_K_M/a-Q4_K_M-00001-of-00002.gguf')).toBeUndefined();
    expect(filesOf('a-F16-00002-of-00002.gguf', 'a-F16-00001-of-00002.gguf')).toEqual([
      {
        kind: 'model',
        path: 'a-F16-00001-of-00002.gguf',
        paths: ['a-F16-00001-of-00002.gguf', 'a-F16-00002-of-00002.gguf'],
        bytes: 2,
        quantization: 'F16',
      },
    ]);
  });
});
