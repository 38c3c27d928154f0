import { expect, test } from '@jest/globals';
import { modelFiles } from '../../../../src/lib/source/hub/hub-files.js';
import { chooseProjector } from '../../../../src/lib/source/hub/projector-file.js';

/** What `find_best_sibling` of llama.cpp v0.5.0 (`common/download.cpp`) takes. */
test.each([
  [
    'the one whose bits are nearest the model’s',
    'M-Q8_0.gguf',
    ['mmproj-M-F16.gguf', 'mmproj-M-Q8_0.gguf'],
    'mmproj-M-Q8_0.gguf',
  ],
  ['the first listed of equals', 'M-Q4_K_M.gguf', ['mmproj-M-F16.gguf', 'mmproj-M-BF16.gguf'], 'mmproj-M-F16.gguf'],
  [
    'F16 rather than F32 beside a small quantization',
    'M-Q4_K_M.gguf',
    ['mmproj-F32.gguf', 'mmproj-F16.gguf'],
    'mmproj-F16.gguf',
  ],
  [
    'the one in the model’s own folder',
    'q4/M-Q4_K_M.gguf',
    ['mmproj-M-Q4_0.gguf', 'q4/mmproj-M-F32.gguf'],
    'q4/mmproj-M-F32.gguf',
  ],
  ['one from a folder above', 'q4/M-Q4_K_M.gguf', ['q8/mmproj-M-F16.gguf', 'mmproj-M-F16.gguf'], 'mmproj-M-F16.gguf'],
  ['none from another folder', 'q4/M-Q4_K_M.gguf', ['q8/mmproj-M-F16.gguf'], undefined],
])('llama-server -hf loads %s', (_, model, projectors, chosen) => {
  const files = modelFiles([model, ...projectors].map((path) => ({ path, bytes: 1 })));
  expect(chooseProjector(files, model)?.path).toBe(chosen);
});
