import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateLaunch } from '../../../src/lib/estimate/estimate-launch.js';
import { describeShape } from '../../../src/lib/model/describe-shape.js';
import type { ProjectorShape } from '../../../src/lib/model/model-shape.js';
import type { LaunchOptions } from '../../../src/lib/runtime/launch-options.js';
import { profileHeader, readProfile } from '../../support/models/profile.js';

const here = dirname(fileURLToPath(import.meta.url));

/** Bytes on GPU and host. */
type Pair = readonly [gpu: number, host: number];

/** A projector loaded by llama.cpp, and the buffers after start-up and after the last image or audio. */
interface Case {
  readonly projector: string;
  readonly launch: {
    readonly backend: 'metal' | 'cpu';
    readonly fa?: 'off';
    readonly mmproj_offload?: 0;
    readonly image?: string;
    readonly images?: number;
    readonly audio?: number | string;
    readonly image_min_tokens?: number;
    readonly image_max_tokens?: number;
    readonly batch_max_tokens?: number;
  };
  readonly weights: Pair;
  readonly start: Pair;
  readonly used: Pair;
}

/** Cases by projector, of one file. */
function readCases(file: string): readonly (readonly [projector: string, cases: readonly Case[]])[] {
  const byProjector = new Map<string, Case[]>();
  for (const line of readFileSync(join(here, file), 'utf8').trim().split('\n')) {
    const item = JSON.parse(line) as Case;
    byProjector.set(item.projector, [...(byProjector.get(item.projector) ?? []), item]);
  }
  return [...byProjector];
}

function launchOf({ launch }: Case): LaunchOptions {
  const { image, images = 1, audio } = launch;
  const sizes = image?.split(',').flatMap((size) => {
    const [width = 0, height = 0] = size.split('x').map(Number);
    return Array.from({ length: images }, () => ({ width, height }));
  });
  return {
    llamaCpp: 'v0.5.0',
    accelerator: launch.backend,
    ...(launch.fa && { flashAttn: launch.fa }),
    ...(launch.mmproj_offload === 0 && { mmprojOffload: false }),
    ...(sizes && { images: sizes }),
    ...(audio !== undefined && { audioSeconds: String(audio).split(',').map(Number) }),
    ...(launch.image_min_tokens && { imageMinTokens: launch.image_min_tokens }),
    ...(launch.image_max_tokens && { imageMaxTokens: launch.image_max_tokens }),
    ...(launch.batch_max_tokens && { mtmdBatchMaxTokens: launch.batch_max_tokens }),
  };
}

function measured(projector: ProjectorShape, item: Case): Pick<Case, 'weights' | 'start' | 'used'> {
  const { parts, growth } = estimateLaunch({ projector }, launchOf(item));
  const part = (name: string): Pair => pair(parts.filter((one) => one.name === name));
  const [gpu, host] = part('compute');
  const [moreGpu, moreHost] = pair(growth.map(({ device, maxBytes }) => ({ device, bytes: maxBytes })));
  return { weights: part('weights-copy'), start: [gpu, host], used: [gpu + moreGpu, host + moreHost] };
}

function pair(items: readonly { readonly device: 'gpu' | 'host'; readonly bytes: number }[]): Pair {
  const on = (device: 'gpu' | 'host'): number =>
    items.reduce((sum, item) => sum + (item.device === device ? item.bytes : 0), 0);
  return [on('gpu'), on('host')];
}

function expectMeasured(path: string, cases: readonly Case[]): void {
  const shape = describeShape(profileHeader(readProfile(join(here, path))));
  if (shape.kind !== 'projector') throw new Error(`${path} is a ${shape.kind}`);
  const ours = cases.map((item) => ({ launch: item.launch, ...measured(shape, item) }));
  expect(ours).toEqual(cases.map(({ launch, weights, start, used }) => ({ launch, weights, start, used })));
}

describe('projectors take what llama.cpp v0.5.0 allocated for them, to the byte, at start-up and for what is sent', () => {
  test.each(readCases('cases.jsonl'))('%s', (name, cases) => {
    expectMeasured(`profiles/${name}.json`, cases);
  });
});

describe('so do those of other families, with made-up encoders of few layers', () => {
  test.each(readCases('cases-families.jsonl'))('%s', (name, cases) => {
    expectMeasured(`families/${name}.json`, cases);
  });
});

test('an image that may have no fewer tokens than it may have at most stops llama-server, and is refused', () => {
  const projector = describeShape(
    profileHeader(readProfile(join(here, 'profiles/mmproj-gemma-4-12b.F16.json'))),
  ) as ProjectorShape;
  // 48 × 48 pixels a token
  expect(() =>
    estimateLaunch({ projector }, { accelerator: 'metal', imageMinTokens: 4000, imageMaxTokens: 10 }),
  ).toThrow('image_max_pixels (23040) is less than image_min_pixels (9216000)');
});

test('an encoder without a largest image of its own takes no smallest one alone', () => {
  const projector = describeShape(profileHeader(readProfile(join(here, 'families/lightonocr.json')))) as ProjectorShape;
  const estimate = (tokens: { imageMinTokens: number; imageMaxTokens?: number }) => () =>
    estimateLaunch({ projector }, { accelerator: 'metal', ...tokens });
  // 28 × 28 pixels a token
  expect(estimate({ imageMinTokens: 64 })).toThrow('image_max_pixels (-1) is less than image_min_pixels (50176)');
  expect(estimate({ imageMinTokens: 64, imageMaxTokens: 300 })).not.toThrow();
});
