import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import type { GgufHeader } from '../../../../src/lib/gguf/header.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

function computeOf(header: GgufHeader): readonly number[] {
  const { parts } = estimateMemory(describeModel(header), { accelerator: 'metal', ctxSize: 4096, llamaCpp: 'v0.5.0' });
  return parts.filter(({ name }) => name === 'compute').map(({ bytes }) => bytes);
}

function withScale(header: GgufHeader, architecture: string): GgufHeader {
  return { ...header, metadata: new Map([...header.metadata, [`${architecture}.expert_weights_scale`, 2.5]]) };
}

// llama.cpp's own loaders of these (`load_arch_hparams`, v0.5.0) do not ask for the key
test.each([
  ['qwen3next', 'qwen3next-qwen3-next-80b-a3b'],
  ['qwen35moe', 'qwen35moe-qwen3.5-122b-a10b-mtp'],
])("a scale of the experts' weights is nothing to %s", (architecture, profile) => {
  const header = profileHeader(readProfile(join(PROFILES, `${profile}.json`)));
  expect(computeOf(withScale(header, architecture))).toEqual(computeOf(header));
});
