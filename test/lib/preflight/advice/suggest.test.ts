import { describe, expect, test } from '@jest/globals';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import type { HostMemory } from '../../../../src/lib/host/host-memory.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { judge, limitsOf } from '../../../../src/lib/preflight/judge.js';
import { suggestions } from '../../../../src/lib/preflight/advice/suggest.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { readBundledHeader } from '../../../../src/lib/source/bundled-header.js';

const GIB = 2 ** 30;

interface Case {
  readonly model?: [id: string, quantization: string];
  readonly launch?: Partial<LaunchOptions>;
  readonly host: Partial<HostMemory> & { readonly totalGib: number; readonly inUseGib?: number };
  readonly budgetGib?: number;
}

async function advice({ model, launch: options, host: given, budgetGib }: Case): Promise<readonly string[]> {
  const bundled = await readBundledHeader(...(model ?? ['qwen-2.5-coder-32b', 'Q4_K_M']));
  if (bundled === undefined) throw new Error('no such header');
  const shape = describeModel(bundled.header);
  const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 8192, ...options };
  const { totalGib, inUseGib = 0, ...more } = given;
  const host = { source: 'given', totalBytes: totalGib * GIB, inUseBytes: inUseGib * GIB, notes: [], ...more } as const;
  const policy = budgetGib === undefined ? {} : { absoluteBytes: budgetGib * GIB };
  const estimate = estimateMemory(shape, launch);
  return suggestions(judge(estimate, limitsOf(estimate, launch.accelerator, host, policy)), shape, launch);
}

describe('what to do about a refusal', () => {
  test('on a 32 GB Mac with a 21 GB model', async () => {
    expect(await advice({ host: { totalGib: 32, inUseGib: 3.4 } })).toEqual([
      'try a smaller quantization',
      'reduce --ctx-size',
      'free system memory',
    ]);
  });

  test('is nothing when it fits', async () => {
    expect(await advice({ host: { totalGib: 64 } })).toEqual([]);
  });

  test('leaves out freeing memory when next to nothing is in use', async () => {
    expect(await advice({ host: { totalGib: 24 } })).not.toContain('free system memory');
  });

  test('names the budget when that was given', async () => {
    expect(await advice({ host: { totalGib: 64 }, budgetGib: 16 })).toContain('raise --memory-budget');
  });

  test('is a smaller model when nothing else can help', async () => {
    expect(await advice({ model: ['llama-3.3-70b', 'Q4_K_M'], host: { totalGib: 16 } })).toEqual([
      'use a smaller model or a larger machine',
    ]);
  });

  test('is not a shorter context when that is short already', async () => {
    const found = await advice({ host: { totalGib: 24 }, launch: { ctxSize: 1024 } });
    expect(found).not.toContain('reduce --ctx-size');
  });

  test('is a quantized cache when the cache is what is large', async () => {
    const found = await advice({ host: { totalGib: 36 }, launch: { ctxSize: 65_536 } });
    expect(found).toContain('use --cache-type-k q8_0 --cache-type-v q8_0');
  });

  test('is raising Metal’s limit when only that refuses', async () => {
    const found = await advice({ host: { totalGib: 64, gpuWiredLimitBytes: 16 * GIB } });
    expect(found.at(-1)).toMatch(/^raise the limit with "sudo sysctl iogpu.wired_limit_mb=\d{5}"$/);
  });

  test('is fewer layers on a discrete GPU, or experts on the CPU', async () => {
    const gpus = [{ index: 0, name: '', totalBytes: 16 * GIB, usedBytes: 0 }];
    const host = { totalGib: 64, gpus };
    expect(await advice({ host, launch: { accelerator: 'cuda' } })).toContain('lower --gpu-layers');
    const moe: Case = { model: ['qwen-3-30b-a3b', 'Q4_K_M'], host, launch: { accelerator: 'cuda' } };
    expect((await advice(moe)).join()).toContain('--cpu-moe');
  });
});
