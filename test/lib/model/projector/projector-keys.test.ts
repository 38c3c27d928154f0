import { describe, expect, it } from '@jest/globals';
import { GgufHeaderParser } from '../../../../src/lib/gguf/header-parser.js';
import { describeShape } from '../../../../src/lib/model/describe-shape.js';
import { buildGguf, type Entry } from '../../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../../support/models/profile.js';

const PROJECTOR = profileSpec(readProfile('test/oracle/projectors/profiles/mmproj-gemma-3-4b.F16.json'));

/** What is said of a projector's file, with one of its keys written otherwise, or taken out. */
function verdict(key: string, entry?: Entry): string {
  const others = (PROJECTOR.metadata ?? []).filter(([name]) => name !== key);
  const parser = new GgufHeaderParser('mmproj.gguf');
  parser.push(buildGguf({ ...PROJECTOR, metadata: entry ? [...others, entry] : others }).header);
  try {
    return describeShape(parser.end()).kind;
  } catch (error) {
    return (error as Error).message.replace('llama.cpp does not load this file: ', '');
  }
}

describe('a projector is refused where clip.cpp of v0.5.0 does not load it', () => {
  it.each<[Entry, string]>([
    [['clip.vision.image_size', 896, 'i32'], 'key clip.vision.image_size has wrong type i32 but expected type u32'],
    [['clip.has_vision_encoder', true, 'bool'], 'projector'],
    [['clip.use_gelu', 1, 'u32'], 'key clip.use_gelu has wrong type u32 but expected type bool'],
    [['clip.vision.image_mean', [0, 0, 0], '[f64]'], "key 'clip.vision.image_mean' is not an array of f32"],
    [
      ['clip.vision.image_std', [1, 1], '[f32]'],
      'image_mean/image_std arrays must have at least 3 elements, got 3 and 2',
    ],
    [['clip.vision.feature_layer', [1], '[u32]'], "key 'clip.vision.feature_layer' is not an array of i32"],
    [
      ['clip.vision.projector.scale_factor', 2 ** 31, 'u32'],
      "value 2147483648 for key 'clip.vision.projector.scale_factor' exceeds INT32_MAX",
    ],
    // It has no encoder of audio that would read it.
    [['clip.audio.num_mel_bins', 1, 'f32'], 'projector'],
  ])('%j', (entry, words) => {
    expect(verdict(entry[0], entry)).toMatch(words);
  });

  it.each([
    'clip.vision.feed_forward_length',
    'clip.vision.projection_dim',
    'clip.vision.attention.layer_norm_epsilon',
    'clip.vision.image_mean',
    'clip.projector_type',
  ])('without %s', (key) => {
    expect(verdict(key)).toMatch(
      /^(Key not found: clip\.vision\.|image_mean\/image_std arrays|unknown projector type)/,
    );
  });
});
