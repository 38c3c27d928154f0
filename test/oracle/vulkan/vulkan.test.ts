import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { LlmkubeError } from '../../../src/lib/errors.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';
import { type CaseLaunch, launchOf, measured, type Measured, PROFILES } from '../cases.js';

type Truth = Pick<Measured, 'contextGpu' | 'contextHost' | 'computeGpu' | 'computeHost'>;

interface VulkanCase {
  readonly profile: string;
  readonly launch: CaseLaunch;
  readonly truth: Truth | { readonly error: string };
}

const byProfile = new Map<string, VulkanCase[]>();
for (const line of readFileSync(join(PROFILES, '../vulkan/cases.jsonl'), 'utf8').trim().split('\n')) {
  const one = JSON.parse(line) as VulkanCase;
  byProfile.set(one.profile, [...(byProfile.get(one.profile) ?? []), one]);
}

/** Contexts and compute buffers of a dry run on a device in software, whose storage buffers are aligned to 16 bytes. */
describe("Vulkan's figures equal those of llama.cpp's own dry run", () => {
  test.each([...byProfile])('%s', (profile, cases) => {
    const shape = describeModel(profileHeader(readProfile(join(PROFILES, `${profile}.json`))));
    for (const { launch, truth } of cases) {
      const estimate = (): Measured => measured(estimateMemory(shape, launchOf(launch), { dryRun: true }));
      if ('error' in truth) expect(estimate).toThrow(LlmkubeError);
      else {
        const { contextGpu, contextHost, computeGpu, computeHost } = truth;
        expect({ launch, ...estimate() }).toMatchObject({ launch, contextGpu, contextHost, computeGpu, computeHost });
      }
    }
  });
});
