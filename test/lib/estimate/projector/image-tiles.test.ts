import { expect, test } from '@jest/globals';
import { tilesByResolution } from '../../../../src/lib/estimate/projector/image-tiles.js';
import type { EncoderHparams } from '../../../../src/lib/model/projector/encoder-hparams.js';

const SIDE = 384;
const encoder = {
  imageSize: SIDE,
  resolutions: [{ width: 2 * SIDE, height: SIDE }],
} as Partial<EncoderHparams> as EncoderHparams;
const whole = { width: SIDE, height: SIDE };

test('an image as large as the encoder’s is not cut, one that is a pixel wider is', () => {
  expect(tilesByResolution(encoder, whole)).toEqual([whole]);
  expect(tilesByResolution(encoder, { width: SIDE + 1, height: SIDE })).toEqual([whole, whole, whole]);
});
