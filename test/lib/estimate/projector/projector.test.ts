import { describe, expect, test } from '@jest/globals';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateLaunch } from '../../../../src/lib/estimate/estimate-launch.js';
import { boundEncoder } from '../../../../src/lib/estimate/projector/bound-encoder.js';
import { describeShape } from '../../../../src/lib/model/describe-shape.js';
import type { ProjectorShape } from '../../../../src/lib/model/model-shape.js';
import { encodersOf } from '../../../../src/lib/model/projector/encoders.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile, type Profile } from '../../../support/models/profile.js';

const PROFILES = join(dirname(fileURLToPath(import.meta.url)), '../../../oracle/projectors/profiles');
const METAL: LaunchOptions = { accelerator: 'metal' };

function described(profile: Profile): ProjectorShape {
  const shape = describeShape(profileHeader(profile));
  if (shape.kind !== 'projector') throw new Error(`${profile.id} is a ${shape.kind}`);
  return shape;
}

const profileOf = (name: string): Profile => readProfile(join(PROFILES, `mmproj-${name}.json`));
const projectorOf = (name: string): ProjectorShape => described(profileOf(name));

function bytesOf(projector: ProjectorShape, launch: LaunchOptions): { start: number; used: number } {
  const { parts, growth } = estimateLaunch({ projector }, launch);
  const start = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  return { start, used: growth.reduce((sum, { maxBytes }) => sum + maxBytes, start) };
}

describe('where a projector goes', () => {
  const devices = (launch: LaunchOptions): string[] =>
    estimateLaunch({ projector: projectorOf('gemma-3-4b.F16') }, launch).parts.map(
      ({ name, device, gpu }) => `${name} ${device}${gpu ?? ''}`,
    );

  test('all of it on the GPU, its inputs on the host', () => {
    expect(devices(METAL)).toEqual(['weights-copy gpu', 'compute gpu', 'compute host']);
  });

  test('none of it on the GPU with --no-mmproj-offload, whatever --gpu-layers says', () => {
    expect(devices({ ...METAL, mmprojOffload: false })).toEqual(['weights-copy host', 'compute host']);
    expect(devices({ ...METAL, gpuLayers: 0 })).toEqual(devices(METAL));
  });

  test('on the first of the GPUs that are used, or the one that --mmproj-device names', () => {
    const cuda: LaunchOptions = { accelerator: 'cuda', gpus: 3, devices: [1, 2] };
    expect(devices(cuda)).toContain('weights-copy gpu1');
    expect(devices({ ...cuda, mmprojDevice: 2 })).toContain('weights-copy gpu2');
  });

  test('nowhere with --no-mmproj, unless it was named', () => {
    const projector = projectorOf('gemma-3-4b.F16');
    expect(estimateLaunch({ projector }, { ...METAL, mmprojAuto: false }).parts).toEqual([]);
    expect(estimateLaunch({ projector }, { ...METAL, mmprojAuto: false, mmproj: 'm.gguf' }).parts).toHaveLength(3);
  });
});

test('only the llama.cpp whose graphs are followed is exact', () => {
  const compute = (launch: LaunchOptions): (string | undefined)[] =>
    estimateLaunch({ projector: projectorOf('gemma-3-4b.F16') }, launch)
      .parts.filter(({ name }) => name === 'compute')
      .map(({ accuracy }) => accuracy);
  expect(compute({ ...METAL, llamaCpp: 'v0.5.0' })).toEqual(['exact', 'exact']);
  expect(compute({ ...METAL, llamaCpp: 'b12032' })).toEqual(['modelled', 'modelled']);
});

describe('what images make grow', () => {
  test('nothing where every image has the size of the dummy', () => {
    expect(estimateLaunch({ projector: projectorOf('gemma-3-4b.F16') }, { ...METAL, images: 'any' }).growth).toEqual(
      [],
    );
  });

  test('no image takes more than the worst that is counted when sizes are not known', () => {
    const sizes = [
      [64, 64],
      [320, 240],
      [1920, 1080],
      [1080, 1920],
      [4096, 4096],
      [4000, 800],
      [700, 2500],
    ] as const;
    for (const name of [
      'qwen3-vl-4b.F16',
      'gemma-4-31b.BF16',
      'mistral-small-3.2-24b.F16',
      'minicpm-v-2.6.F16',
      'internvl3-8b.F16',
    ]) {
      const projector = projectorOf(name);
      const { used: worst } = bytesOf(projector, { ...METAL, images: 'any' });
      for (const [width, height] of sizes) {
        const { used } = bytesOf(projector, { ...METAL, images: [{ width, height }] });
        expect({ name, width, height, over: Math.max(0, used - worst) }).toEqual({ name, width, height, over: 0 });
      }
    }
  });

  test('--image-max-tokens bounds it', () => {
    const projector = projectorOf('qwen3-vl-4b.F16');
    const unbounded = bytesOf(projector, { ...METAL, images: 'any' }).used;
    expect(bytesOf(projector, { ...METAL, images: 'any', imageMaxTokens: 1024 }).used).toBeLessThan(unbounded);
  });

  test('without warm-up all of it is growth', () => {
    const projector = projectorOf('gemma-3-4b.F16');
    const warm = bytesOf(projector, { ...METAL, images: 'any' });
    const cold = bytesOf(projector, { ...METAL, images: 'any', warmup: false });
    expect(cold.used).toBe(warm.used);
    expect(cold.start).toBeLessThan(warm.start);
  });
});

describe('an encoder whose graph is not described', () => {
  const unknown = (name: string): ProjectorShape => {
    const profile = profileOf(name);
    const metadata = profile.metadata.map((entry) =>
      entry[0] === 'clip.projector_type' ? (['clip.projector_type', 'newer', 'str'] as const) : entry,
    );
    return described({ ...profile, metadata });
  };

  test('is counted by an upper bound, which says so', () => {
    const { parts, notes } = estimateLaunch({ projector: unknown('gemma-3-4b.F16') }, METAL);
    expect(parts.filter(({ accuracy }) => accuracy === 'bound').map(({ name }) => name)).toEqual(['compute']);
    expect(notes).toEqual([expect.stringContaining('"newer"')]);
  });

  test.each(['gemma-3-4b.F16', 'qwen2.5-vl-7b.F16', 'gemma-4-e4b.F16', 'internvl3-8b.F16', 'qwen2-audio-7b.F16'])(
    'the bound is above what %s takes, with and without flash attention',
    (name) => {
      const projector = projectorOf(name);
      for (const flashAttn of ['auto', 'off'] as const) {
        const launch: LaunchOptions = { ...METAL, flashAttn, images: 'any', audioSeconds: 'any' };
        const { parts, growth } = estimateLaunch({ projector }, launch);
        const real = parts.filter((part) => part.name === 'compute').reduce((sum, { bytes }) => sum + bytes, 0);
        const added = growth.reduce((sum, { maxBytes }) => sum + maxBytes, 0);
        const bounds = encodersOf(projector).map((encoder) => boundEncoder(projector, encoder, launch));
        const atStart = bounds.reduce((sum, bound) => sum + bound.atStart, 0);
        expect(atStart).toBeGreaterThan(real);
        expect(bounds.reduce((sum, bound) => sum + bound.added, atStart)).toBeGreaterThan(real + added);
      }
    },
  );
});
