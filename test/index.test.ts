import { expect, test } from '@jest/globals';
import * as llmkube from '../src/index.js';

test('the library checks a model without the command line', async () => {
  const check = await llmkube.checkMemory(
    {
      model: 'qwen-coder-32b',
      accelerator: 'metal',
      launch: {},
      extraArgs: [],
      machine: { systemMemoryBytes: 64 * 2 ** 30, inUseBytes: 0 },
      policy: {},
    },
    {
      loadCatalog: () => llmkube.loadCatalog(),
      readHeader: (model) => llmkube.readHeaderFor(model, { offline: true }),
      measureHost: llmkube.measureHost,
    },
  );
  expect(check.verdict.kind).toBe('fits');
  expect(llmkube.checkJson(check)).toMatchObject({ verdict: 'fits', model: { id: 'qwen-2.5-coder-32b' } });
});
