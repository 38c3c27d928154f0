import { expect, test } from '@jest/globals';
import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { describeHeader, describeModel } from '../../../src/lib/model/describe-model.js';
import { readBundledHeader } from '../../../src/lib/source/bundled-header.js';

async function headerNaming(architecture: string): Promise<GgufHeader> {
  const bundled = readBundledHeader('gemma-3-12b', 'Q5_K_M');
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

test.each([true, false])('a vocoder is refused for what it is, with blocks (%s) or without', async (hasBlocks) => {
  const header = await headerNaming('wavtokenizer-dec');
  const tensors = hasBlocks ? header.tensors : header.tensors.filter(({ name }) => !name.startsWith('blk.'));
  expect(() => describeModel({ ...header, tensors })).toThrow(
    expect.objectContaining({
      code: 'MODEL_NOT_A_LANGUAGE_MODEL',
      message: expect.stringContaining("turns a language model's tokens into sound") as unknown,
    }),
  );
});

test.each(['llama', 'gptneox', 'glm5-next'])('%s is an architecture that llama.cpp knows', async (architecture) => {
  expect(describeHeader(await headerNaming(architecture)).architecture).toBe(architecture);
});

/** Gemma's header with other values; undefined takes a key away. */
async function gemmaWith(values: Readonly<Record<string, MetadataValue | undefined>>): Promise<GgufHeader> {
  const header = await headerNaming('gemma3');
  const metadata = new Map([...header.metadata].filter(([key]) => !(key in values)));
  for (const [key, value] of Object.entries(values)) if (value !== undefined) metadata.set(key, value);
  return { ...header, metadata };
}

test('keys and values of windows have head sizes of their own', async () => {
  const { hparams } = describeHeader(
    await gemmaWith({ 'gemma3.attention.key_length_swa': 128, 'gemma3.attention.value_length_swa': 96 }),
  );
  expect([hparams.headKSwa, hparams.headVSwa]).toEqual([128, 96]);
});

test('without a vocabulary, it is as long as the embedding has rows', async () => {
  const header = await gemmaWith({ 'tokenizer.ggml.tokens': undefined, 'gemma3.vocab_size': undefined });
  const tensors = header.tensors.map((tensor) =>
    tensor.name === 'token_embd.weight' ? { ...tensor, dims: [3840, 1234] } : tensor,
  );
  expect(describeHeader({ ...header, tensors }).hparams.nVocab).toBe(1234);
});

test('the blocks that predict ahead are not among the layers that the model runs', async () => {
  const { hparams } = describeHeader(await gemmaWith({ 'gemma3.block_count': 48, 'gemma3.nextn_predict_layers': 2 }));
  expect([hparams.nLayerAll, hparams.nLayer]).toEqual([48, 46]);
});
