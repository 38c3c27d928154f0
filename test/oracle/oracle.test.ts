import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { LlmkubeError } from '../../src/lib/errors.js';
import { estimateMemory } from '../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../src/lib/model/model-shape.js';
import { profileHeader, readProfile } from '../support/models/profile.js';
import { type Case, EVERY_LAUNCH, launchOf, measured, PROFILES, readCases, sampleOf } from './cases.js';

const byProfile = new Map<string, Case[]>();
for (const item of EVERY_LAUNCH ? readCases() : sampleOf(readCases()))
  byProfile.set(item.profile, [...(byProfile.get(item.profile) ?? []), item]);

/** What is not as llama.cpp measured it; undefined where all is. */
function deviation(shape: ModelShape, { launch, truth, llamaCpp }: Case): unknown {
  if ('error' in truth) {
    try {
      estimateMemory(shape, launchOf(launch, llamaCpp));
      return { launch, refusedByLlamaCpp: truth.error };
    } catch (error) {
      if (error instanceof LlmkubeError) return undefined;
      throw error;
    }
  }
  const estimate = estimateMemory(shape, launchOf(launch, llamaCpp));
  const { nCtx, nCtxSeq, slots, kvUnified, flashAttn, nOutputsMax: outputsMax } = estimate.resolved;
  const ours = { ...measured(estimate), nCtx, nCtxSeq, slots, kvUnified, flashAttn, outputsMax };
  const different = Object.entries(ours).filter(
    ([key, value]) => JSON.stringify(truth[key as keyof typeof ours]) !== JSON.stringify(value),
  );
  if (different.length === 0) return undefined;
  return {
    launch,
    version: llamaCpp,
    ...Object.fromEntries(
      different.map(([key, value]) => [key, { ours: value, llamaCpp: truth[key as keyof typeof ours] }]),
    ),
  };
}

describe('estimates equal what llama.cpp allocated, from June 2026 to v0.8.0, to the byte', () => {
  test.each([...byProfile])('%s', (profile, cases) => {
    const shape = describeModel(profileHeader(readProfile(join(PROFILES, `${profile}.json`))));
    expect(cases.map((item) => deviation(shape, item)).filter(Boolean)).toEqual([]);
  });
});

describe('leaving out repeated layers changes nothing', () => {
  const profiles = [...byProfile].filter((_, i) => EVERY_LAUNCH || i % 10 === 0);
  test.each(profiles)('%s', (profile, cases) => {
    const shape = describeModel(profileHeader(readProfile(join(PROFILES, `${profile}.json`))));
    const some = cases.filter(({ truth }, i) => i % 20 === 0 && !('error' in truth));
    for (const { launch, llamaCpp } of some) {
      const every = estimateMemory(shape, launchOf(launch, llamaCpp), { everyLayer: true });
      expect({ launch, ...measured(estimateMemory(shape, launchOf(launch, llamaCpp))) }).toEqual({
        launch,
        ...measured(every),
      });
    }
  });
});
