import { describe, expect, test } from '@jest/globals';
import { estimateLaunch } from '../../../src/lib/estimate/estimate-launch.js';
import { estimateMemory } from '../../../src/lib/estimate/estimate-memory.js';
import type { HostMemory } from '../../../src/lib/host/host-memory.js';
import { judge, limitsOf } from '../../../src/lib/preflight/judge/judge.js';
import { choiceNotes, chosenOptions, serverChoice } from '../../../src/lib/preflight/server-choice.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { bundledShape } from '../../support/models/bundled-shape.js';

const GIB = 2 ** 30;
/** A 32 GB Mac of macOS 15, 10 GB in use: its GPU may wire 21845 MiB. */
const MAC: HostMemory = {
  source: 'given',
  totalBytes: 32 * GIB,
  inUseBytes: 10 * GIB,
  gpuWiredLimitBytes: 21845 * 2 ** 20,
  notes: [],
};
const METAL: LaunchOptions = { accelerator: 'metal', llamaCpp: 'v0.5.0' };

describe('what llama-server chooses on a Mac, whatever else runs there', () => {
  // Between llama.cpp's own dry runs at 4096 tokens and at the trained context for each of 4 slots: 20821 MiB (21845 less
  // the margin of 1024) lie at
  //   llama-3.1-8b   4096 + 520192 × (21832400896 −  6009915680) ÷ (76812781856 −  6009915680) = 120344
  //   qwen-3-30b-a3b 4096 + 159744 × (21832400896 − 18864075392) ÷ (35038584864 − 18864075392) =  33412
  //   gemma-3-12b    4096 + 520192 × (21832400896 − 10175267872) ÷ (49215521824 − 10175267872) = 159421
  // and the context is the next multiple of 256 below.
  test.each([
    ['llama-3.1-8b', 'Q5_K_M', 120320],
    ['qwen-3-30b-a3b', 'Q4_K_M', 33280],
    ['gemma-3-12b', 'Q5_K_M', 159232],
  ])('%s gets %s tokens', async (id, quantization, nCtx) => {
    const choice = serverChoice({ model: await bundledShape(id, quantization) }, METAL, MAC);
    expect(choice).toMatchObject({ nCtx, gaveUp: undefined, contextWasOpen: true });
    expect(choice && chosenOptions(choice)).toEqual({ ctxSize: nCtx });
  });

  test('beyond the budget, the margin that keeps it within is named, and it does', async () => {
    const shape = await bundledShape('llama-3.1-8b', 'Q5_K_M');
    const verdictWith = (options: Partial<LaunchOptions>) => {
      const chosen = serverChoice({ model: shape }, { ...METAL, ...options }, MAC);
      const estimate = estimateMemory(shape, { ...METAL, ...options, ...(chosen && chosenOptions(chosen)) });
      return judge(estimate, limitsOf(estimate, 'metal', MAC, {}));
    };
    const choice = serverChoice({ model: shape }, METAL, MAC);
    expect(verdictWith({}).kind).toBe('does-not-fit');
    const [note = ''] = choice ? choiceNotes(choice, verdictWith({}), verdictWith) : [];
    const target = Number(/--fit-target (\d+) keeps it within$/.exec(note)?.[1]);
    expect(verdictWith({ fitTargetMiB: target }).kind).not.toBe('does-not-fit');
    expect(verdictWith({ fitTargetMiB: target - 512 }).kind).toBe('does-not-fit');
  });

  test('newer versions aim at the trained context once, since the slots share it', async () => {
    const shape = await bundledShape('llama-3.1-8b', 'Q5_K_M');
    const roomy = { ...MAC, gpuWiredLimitBytes: 30 * GIB };
    expect(serverChoice({ model: shape }, { ...METAL, llamaCpp: 'b12032' }, roomy)).toBeUndefined();
    expect(serverChoice({ model: shape }, METAL, roomy)?.nCtx).toBeLessThan(4 * 131072);
  });
});

test('a draft takes its share before the context is chosen', async () => {
  const files = {
    model: await bundledShape('llama-3.1-8b', 'Q5_K_M'),
    draft: await bundledShape('llama-3.2-3b', 'Q5_K_M'),
  };
  const launch: LaunchOptions = { ...METAL, specTypes: ['draft-simple'] };
  const heldAt = (ctxSize: number): number =>
    estimateLaunch(files, { ...launch, ctxSize, mmap: false })
      .parts.filter(({ device, name }) => device === 'gpu' && name !== 'runtime-overhead')
      .reduce((bytes, part) => bytes + part.bytes, 0);
  const { nCtx = 0 } = serverChoice(files, launch, MAC) ?? {};
  const target = 20821 * 2 ** 20;
  expect(nCtx).toBeLessThan(120320);
  expect(heldAt(nCtx)).toBeLessThanOrEqual(target);
  expect(heldAt(Math.ceil(nCtx * 1.05))).toBeGreaterThan(target);
});

describe('what is left alone', () => {
  test.each<[string, LaunchOptions]>([
    ['a context and layers that were named', { ...METAL, ctxSize: 1_000_000, gpuLayers: 33 }],
    ['--fit off', { ...METAL, fit: false }],
  ])('%s', async (_, launch) => {
    expect(serverChoice({ model: await bundledShape('llama-3.1-8b', 'Q5_K_M') }, launch, MAC)).toBeUndefined();
  });

  test('layers that were named keep their number, and only the context is lowered', async () => {
    const choice = serverChoice(
      { model: await bundledShape('llama-3.1-8b', 'Q5_K_M') },
      { ...METAL, gpuLayers: 33 },
      MAC,
    );
    expect(choice && chosenOptions(choice)).toEqual({ ctxSize: 120320 });
  });

  test('where weights were placed by hand and the least context is too much, it gives up', async () => {
    const small = { ...MAC, gpuWiredLimitBytes: 4 * GIB };
    const choice = serverChoice(
      { model: await bundledShape('llama-3.1-8b', 'Q5_K_M') },
      { ...METAL, gpuLayers: 33 },
      small,
    );
    expect(choice?.gaveUp).toContain('--n-gpu-layers');
    expect(choice?.nCtx).toBe(4096);
  });
});
