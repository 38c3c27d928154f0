import { describe, expect, test } from '@jest/globals';
import { planContext } from '../../../../src/lib/estimate/context/plan-context.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const PROFILES = new URL('../../../oracle/profiles/', import.meta.url).pathname;
const KIMI_K3 = 'kimi-k3-kimi-k3.Q4_K_M';

/** Compute buffers of one launch after another, each with another context. */
function buffersOf(profile: string, contexts: readonly number[], launch: LaunchOptions) {
  const shape = describeModel(profileHeader(readProfile(`${PROFILES}${profile}.json`)));
  return contexts.map((ctxSize) => {
    const { bytes, flashAttn } = planContext(shape, { ...launch, ctxSize, llamaCpp: 'v0.5.0' }).compute;
    return { flashAttn, gpu: bytes.gpus[0], cpu: bytes.cpu };
  });
}

describe('a later launch of a model', () => {
  // The figures are those of llama.cpp v0.5.0.
  test('has flash attention where a few of its layers alone would not run it on their devices', () => {
    const launch = { accelerator: 'metal', gpuLayers: 28 } as const;
    expect(buffersOf('nemotron_h-nemotron-nano-9b-v2.Q5_K_M', [34304, 33792, 33280, 32768], launch).slice(2)).toEqual([
      { flashAttn: true, gpu: 253469248, cpu: 208283712 },
      { flashAttn: true, gpu: 250847296, cpu: 207759424 },
    ]);
  });

  test('has none where a few of its layers alone would run it on their devices', () => {
    const launch = { accelerator: 'cuda', kvOffload: false } as const;
    expect(buffersOf('nemotron_h-nemotron-nano-9b-v2.Q5_K_M', [9728, 9216, 8704, 8192], launch).slice(2)).toEqual([
      { flashAttn: false, gpu: 208732288, cpu: 772548672 },
      { flashAttn: false, gpu: 208732288, cpu: 728508480 },
    ]);
  });
});

describe('a later launch of Kimi K3', () => {
  // Each block of its layers adds to what the layers mix: those that differ by that alone are planned once.
  test.each([{ accelerator: 'metal' }, { accelerator: 'metal', gpuLayers: 46 }] as const)(
    'takes what all of its layers take: %j',
    (launch) => {
      const shape = describeModel(profileHeader(readProfile(`${PROFILES}${KIMI_K3}.json`)));
      const bytesOf = (ctxSize: number, everyLayer = false) =>
        planContext(shape, { ...launch, ctxSize, llamaCpp: 'v0.5.0' }, { everyLayer }).compute.bytes;
      for (const ctxSize of [8192, 9216, 10240]) bytesOf(ctxSize);
      expect(bytesOf(65536)).toEqual(bytesOf(65536, true));
    },
  );
});
