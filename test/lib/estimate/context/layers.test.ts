import { describe, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { estimateMemory } from '../../../../src/lib/estimate/estimate-memory.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import type { ModelShape } from '../../../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../../../src/lib/runtime/launch-options.js';
import { PROFILES } from '../../../oracle/cases.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

/** A model with the first layers of another. */
function ofDepth(profile: string, layers: number) {
  const header = profileHeader(readProfile(join(PROFILES, `${profile}.json`)));
  const metadata = new Map(
    [...header.metadata].map(([key, value]) => [
      key,
      key.endsWith('.block_count')
        ? layers
        : Array.isArray(value) && value.length > 16
          ? value.slice(0, layers)
          : value,
    ]),
  );
  const tensors = header.tensors.filter(({ name }) => Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0) < layers);
  return describeModel({ ...header, metadata, tensors });
}

const LAUNCHES: readonly [string, (layers: number) => Partial<LaunchOptions>][] = [
  ['all on Metal', () => ({ accelerator: 'metal' })],
  ['half of it on Metal', (layers) => ({ accelerator: 'metal', gpuLayers: layers >> 1 })],
  ['on two GPUs', () => ({ accelerator: 'cuda', gpus: 2 })],
  ['with its states on the host', () => ({ accelerator: 'metal', kvOffload: false })],
  ['small steps without flash attention', () => ({ accelerator: 'metal', ubatchSize: 8, flashAttn: 'off' })],
];

/** What launches of a model take with one context after another, each planned from what was learned of those before it. */
function withContexts(shape: ModelShape, launch: LaunchOptions, everyLayer: boolean): unknown {
  return [4096, 8192, 40_000, 4096].map(
    (ctxSize) => estimateMemory(shape, { ...launch, ctxSize }, { everyLayer }).parts,
  );
}

describe.each([
  ['llama-3.1-8b.Q4_K_M', 12],
  ['gemma-3-27b.Q4_K_M', 25],
  ['kimi-k3-kimi-k3.Q4_K_M', 29],
  ['dots3note-dots3-note-288b.Q4_K_M', 22],
])('contexts of different length of %s with %d layers', (profile, layers) => {
  test.each(LAUNCHES)('take, %s, what they take with every layer planned', (_, launchOf) => {
    const shape = ofDepth(profile, layers);
    const launch: LaunchOptions = { accelerator: 'metal', llamaCpp: 'v0.5.0', ...launchOf(layers) };
    expect(withContexts(shape, launch, false)).toEqual(withContexts(shape, launch, true));
  });
});

describe.each([
  ['llama-3.1-8b.Q4_K_M', [12, 23]],
  ['gemma-3-27b.Q4_K_M', [25, 44]],
  ['granitehybrid-granite-4.0-h-micro.Q8_0', [19, 36]],
  ['rwkv6-rwkv6-world-1.6b.Q4_K_M', [15, 23]],
  ['rwkv7-rwkv7-world-2.9b.Q4_K_M', [13, 26]],
] satisfies [string, number[]][])('%s', (profile, depths) => {
  describe.each(depths)('with %d layers', (layers) => {
    test.each(LAUNCHES)('%s takes what it takes with every layer planned', (_, launchOf) => {
      const shape = ofDepth(profile, layers);
      const launch: LaunchOptions = { accelerator: 'metal', ctxSize: 40_000, llamaCpp: 'v0.5.0', ...launchOf(layers) };
      expect(estimateMemory(shape, launch).parts).toEqual(estimateMemory(shape, launch, { everyLayer: true }).parts);
    });
  });
});
