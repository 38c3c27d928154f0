import { describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeShape } from '../../../../src/lib/model/describe-shape.js';
import type { ProjectorShape } from '../../../../src/lib/model/model-shape.js';
import { projectorWidth } from '../../../../src/lib/model/projector/projector-width.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const PROJECTORS = join(dirname(fileURLToPath(import.meta.url)), '../../../oracle/projectors');

const widthOf = (path: string): number | undefined =>
  projectorWidth(describeShape(profileHeader(readProfile(join(PROJECTORS, path)))) as ProjectorShape);

test.each([
  ['the rows of its last matrix', 'profiles/mmproj-mistral-small-3.2-24b.F16.json', 5120],
  ['the columns of a matrix that is multiplied the other way round', 'profiles/mmproj-gemma-3-4b.F16.json', 2560],
  ['the length of its last bias', 'profiles/mmproj-qwen2-vl-7b.F16.json', 3584],
  ['of an audio encoder, its own last matrix', 'profiles/mmproj-qwen2-audio-7b.F16.json', 4096],
  ['with features for three more layers, four times the embedding', 'profiles/mmproj-qwen3-vl-4b.F16.json', 4 * 2560],
  ['with none of them, the embedding', 'profiles/mmproj-qwen3.6-27b.BF16.json', 5120],
  ['of several projectors side by side, all of them', 'families/g4v.json', 3 * 2560],
  ['of a projector with norms between, its last norm', 'families/yi.json', 4096],
])('a projector is as wide as %s', (_, path, width) => {
  expect(widthOf(path)).toBe(width);
});

describe('every described projector', () => {
  test.each(['profiles', 'families'])('of the %s says its width', (folder) => {
    const silent = readdirSync(join(PROJECTORS, folder)).filter((file) => widthOf(join(folder, file)) === undefined);
    expect(silent).toEqual([]);
  });
});
