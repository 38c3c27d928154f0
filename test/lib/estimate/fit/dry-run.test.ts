import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { dryRun } from '../../../../src/lib/estimate/fit/dry-run.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

test('weights that the CPU repacks are of no device in a dry run, neither among its model nor among all that it takes', () => {
  const shape = describeModel(profileHeader(readProfile(join(PROFILES, 'llama-3.1-8b.Q4_K_M.json'))));
  const launch: LaunchOptions = { accelerator: 'cpu', cpuArch: 'x86', llamaCpp: 'v0.5.0', ctxSize: 4096 };
  const besideModel = (repack: boolean): number => {
    const { host } = dryRun(shape, { ...launch, repack }, []);
    return host.totalBytes - host.modelBytes;
  };
  const counted = (repack: boolean): number =>
    estimateMemory(shape, { ...launch, repack, mmap: false })
      .parts.filter(({ name }) => name === 'kv-cache' || name === 'compute')
      .reduce((sum, { bytes }) => sum + bytes, 0);
  expect([besideModel(true), besideModel(false)]).toEqual([counted(true), counted(false)]);
  // Q4_K is repacked on x86, and more than half of the file is that.
  const [with_, without] = [true, false].map((repack) => dryRun(shape, { ...launch, repack }, []).host.modelBytes);
  expect(with_).toBeLessThan((without as number) / 2);
});
