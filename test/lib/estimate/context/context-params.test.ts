import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { resolveContext } from '../../../../src/lib/estimate/context/context-params.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const llama = describeModel(profileHeader(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'))));

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
