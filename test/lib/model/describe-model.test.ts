import { expect, test } from '@jest/globals';
import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { describeHeader } from '../../../src/lib/model/describe-model.js';
import { readBundledHeader } from '../../../src/lib/source/bundled-header.js';

async function headerNaming(architecture: string): Promise<GgufHeader> {
  const bundled = await readBundledHeader('gemma-3-12b', 'Q5_K_M');
  if (!bundled) throw new Error('gemma-3-12b is not bundled');
  const metadata = new Map<string, MetadataValue>();
  for (const [key, value] of bundled.header.metadata) metadata.set(key.replace(/^gemma3\./, `${architecture}.`), value);
  return { ...bundled.header, metadata: metadata.set('general.architecture', architecture) };
}

test.each([
  ['gptoss', "unknown model architecture: 'gptoss'"],
  ['constructor', "unknown model architecture: 'constructor'"],
  ['gptj', "unsupported model architecture: 'gptj'"],
  ['\u001b[2J', "unknown model architecture: '\\u{1b}[2J'"],
])('a file of architecture %j is refused in the words of llama.cpp', async (architecture, words) => {
  const header = await headerNaming(architecture);
  expect(() => describeHeader(header)).toThrow(
    expect.objectContaining({ code: 'MODEL_ARCHITECTURE_UNKNOWN', message: expect.stringContaining(words) as unknown }),
  );
});

test.each(['llama', 'gptneox', 'glm5-next'])('%s is an architecture that llama.cpp knows', async (architecture) => {
  expect(describeHeader(await headerNaming(architecture)).architecture).toBe(architecture);
});
