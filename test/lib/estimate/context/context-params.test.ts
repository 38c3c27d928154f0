import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { resolveContext, WITHOUT_DRAFT } from '../../../../src/lib/estimate/context/context-params.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const shapeOf = (name: string) => describeModel(profileHeader(readProfile(join(PROFILES, `${name}.json`))));
const llama = shapeOf('llama-3.1-8b.Q4_K_M');

function context(launch: Partial<LaunchOptions>) {
  return resolveContext(llama, { accelerator: 'cpu', ctxSize: 4096, llamaCpp: 'v0.5.0', ...launch });
}

describe('every slot needs room for an output in a batch', () => {
  test.each([
    ['a batch of two tokens for four slots', { batchSize: 2, parallel: 4 }],
    ['embeddings in steps of two tokens for four slots', { mode: 'embedding', ubatchSize: 2, parallel: 4 }],
    ['one token at a time for the slots that llama-server chooses', { batchSize: 1 }],
  ] satisfies [string, Partial<LaunchOptions>][])('%s are refused: llama.cpp aborts there', (_, launch) => {
    expect(() => context(launch)).toThrow(expect.objectContaining({ code: 'LAUNCH_BATCH_BELOW_SLOTS', exitCode: 2 }));
  });

  test.each([
    ['as many tokens as slots', { batchSize: 4, parallel: 4 }],
    ['steps of one token where rows of logits are all that is asked for', { ubatchSize: 1, parallel: 4 }],
    ['one token for one slot', { batchSize: 1, parallel: 1 }],
  ] satisfies [string, Partial<LaunchOptions>][])('%s will do', (_, launch) => {
    expect(context(launch).nOutputsMax).toBe(launch.parallel);
  });
});

test.each([
  ['qwen35-qwen3.5-0.8b.Q8_0', 3],
  ['mamba-mamba-130m.Q8_0', 0],
])('of %s, %d earlier states are kept where three tokens are drafted', (name, kept) => {
  const { role } = resolveContext(shapeOf(name), { accelerator: 'cpu' }, { ...WITHOUT_DRAFT, statesKept: 3 });
  expect(role.statesKept).toBe(kept);
});
