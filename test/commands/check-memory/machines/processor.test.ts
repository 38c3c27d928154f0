import { expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile, writeProfile } from '../../../support/models/profile.js';
import { runCli } from '../../../support/run-cli.js';

const CPU = { llamaCpp: 'v0.5.0', accelerator: 'cpu', ctxSize: 512 } as const;

test("this machine's own processor decides which weights are copied into another layout", async () => {
  const profile = readProfile(join(PROFILES, 'tinyllama-1.1b.Q4_K_M.json'));
  const model = join(mkdtempSync(join(tmpdir(), 'llmkube-processor-')), 'tiny.gguf');
  await writeProfile(profile, model);
  const copies = (parts: readonly { name: string; bytes: number }[]): number =>
    parts.filter(({ name }) => name === 'weights-copy').reduce((sum, { bytes }) => sum + bytes, 0);
  const [arm, x86] = (['arm', 'x86'] as const).map((cpuArch) =>
    copies(estimateMemory(describeModel(profileHeader(profile)), { ...CPU, cpuArch }).parts),
  );
  expect(arm).not.toBe(x86);
  const words = [
    'check-memory',
    model,
    '--accelerator',
    'cpu',
    '--ctx-size',
    '512',
    '--memory-fraction',
    '1',
    '--json',
  ];
  const json = JSON.parse((await runCli(words)).stdout) as { estimate: unknown };
  const { parts } = json.estimate as { parts: { name: string; bytes: number }[] };
  expect(copies(parts)).toBe(process.arch === 'arm64' ? arm : x86);
});
