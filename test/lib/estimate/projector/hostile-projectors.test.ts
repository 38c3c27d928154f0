import { describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { estimateLaunch } from '../../../../src/lib/estimate/estimate-launch.js';
import type { MetadataValue } from '../../../../src/lib/gguf/header.js';
import { describeShape } from '../../../../src/lib/model/describe-shape.js';
import type { ProjectorShape } from '../../../../src/lib/model/model-shape.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const FAMILIES = fileURLToPath(new URL('../../../oracle/projectors/', import.meta.url));

/** A projector that llama.cpp was measured with, with some of its keys changed; undefined takes one away. */
function changed(path: string, keys: Readonly<Record<string, MetadataValue | undefined>>): ProjectorShape {
  const header = profileHeader(readProfile(FAMILIES + path));
  const metadata = new Map(header.metadata);
  for (const [key, value] of Object.entries(keys)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return describeShape({ ...header, metadata }) as ProjectorShape;
}

describe('a projector whose numbers contradict each other is refused, and at once', () => {
  test.each<[string, string, Record<string, MetadataValue | undefined>, RegExp]>([
    [
      'a layer before the first',
      'families/g4v.json',
      { 'clip.vision.feature_layer': [-1, -1, -1, -1] },
      /feature layer|feature_layers/,
    ],
    ['a layer after the last', 'families/g4v.json', { 'clip.vision.feature_layer': [999] }, /out of range/],
    [
      'no layers for its queries',
      'families/g4v.json',
      { 'clip.vision.feature_layer': undefined },
      /feature_layers\.size\(\) 0/,
    ],
    ['no codebooks', 'families/mimoa.json', { 'clip.audio.rvq.codebook_size': undefined }, /codebook_size is empty/],
    [
      'two billion tiles',
      'profiles/mmproj-internvl3-8b.F16.json',
      { 'clip.vision.preproc_max_tiles': 2 ** 31 - 1 },
      /at most 100 are tried/,
    ],
    [
      'an image of four million tiles',
      'families/llava16.json',
      { 'clip.vision.image_grid_pinpoints': [2 ** 20, 2 ** 20] },
      /tiles of one image/,
    ],
    [
      'images larger than any',
      'profiles/mmproj-llama-4-scout.F16.json',
      { 'clip.vision.image_size': 2 ** 31 - 1 },
      /max 8192/,
    ],
    ['patches of no size', 'profiles/mmproj-gemma-3-4b.F16.json', { 'clip.vision.patch_size': 0 }, /must be positive/],
  ])('%s', (_, path, keys, words) => {
    const projector = changed(path, keys);
    const launch = { accelerator: 'metal', images: 'any', audioSeconds: 'any' } as const;
    const refusal = { exitCode: 3, message: expect.stringMatching(words) };
    expect(() => estimateLaunch({ projector }, launch)).toThrow(expect.objectContaining(refusal));
  });
});
