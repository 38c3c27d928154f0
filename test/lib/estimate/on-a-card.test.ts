import { expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import { totalBytes } from '../../../src/lib/estimate/memory-estimate.js';
import { describeModel } from '../../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../oracle/cases.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const MIB = 2 ** 20;
const H100 = { totalBytes: 81559 * MIB, freeBytes: 81079 * MIB };
const WITHOUT_FLASH = { flashAttn: 'off' } as const;

/** llama-server v0.5.0 on an H100, driver 580.159.04: the most in use while a prompt filled the context, less what was in use before. */
test.each<[string, Partial<LaunchOptions>, number]>([
  ['llama-3.2-3b.Q5_K_M', { ctxSize: 32768 }, 6500],
  ['llama-3.2-3b.Q5_K_M', { ctxSize: 32768, ...WITHOUT_FLASH }, 8874],
  ['llama-3.2-3b.Q5_K_M', { ctxSize: 16384, ubatchSize: 4096, batchSize: 4096 }, 5290],
  ['llama-3.2-3b.Q5_K_M', { ctxSize: 16384, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' }, 3874],
  ['gemma-3-4b.Q5_K_M', { ctxSize: 16384 }, 4244],
  ['phi-4-mini.Q5_K_M', { ctxSize: 16384 }, 5444],
  ['lfm2-1.2b.Q4_K_M', { ctxSize: 16384 }, 1572],
  ['gpt-oss-20b.MXFP4', { ctxSize: 16384 }, 12166],
  ['llama-3.1-8b.Q8_0', { ctxSize: 16384 }, 10386],
  ['qwen-2.5-14b.Q5_K_M', { ctxSize: 16384 }, 13320],
  ['qwen-2.5-14b.Q5_K_M', { ctxSize: 32768, ...WITHOUT_FLASH }, 20282],
  ['qwen-2.5-coder-32b.Q4_K_M', { ctxSize: 16384 }, 23438],
])('%s with %j takes at most what is said of an H100, and little less', (profile, launch, mebibytes) => {
  const shape = describeModel(profileHeader(readProfile(join(PROFILES, `${profile}.json`))));
  const options = { llamaCpp: 'v0.5.0', accelerator: 'cuda', cpuArch: 'x86', gpus: 1, gpuMemory: [H100] } as const;
  const said = totalBytes(estimateMemory(shape, { ...options, ...launch }), 'gpu') / MIB;
  expect(said - mebibytes).toBeGreaterThanOrEqual(0);
  expect(said - mebibytes).toBeLessThan(32);
});
