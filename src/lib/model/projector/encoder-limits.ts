import type { Keys } from '../keys.js';
import { refusedByLoader } from '../loading/load-error.js';
import type { Encoder, EncoderHparams } from './encoder-hparams.js';

/** Published projectors cut an image into at most 12 tiles; every grid of so many is tried. */
const MOST_TILES = 100;
/** The checks at the end of `clip_model_loader::load_hparams` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0). */
const MOST_IMAGE_SIZE = 8192;
const MOST_WINDOW = 4096;
const BELOW = 65536;

/**
 * `vision.preproc_min_tiles` and `vision.preproc_max_tiles`, before anything is made for each.
 * @throws CheckIncompleteError MODEL_COUNT_INVALID
 */
export function tileCount(keys: Keys, name: 'min' | 'max', fallback: number): number {
  const count = keys.number(`vision.preproc_${name}_tiles`, fallback);
  if (count <= MOST_TILES) return count;
  throw refusedByLoader('MODEL_COUNT_INVALID', `preproc_${name}_tiles is ${count}, at most ${MOST_TILES} are tried`);
}

/**
 * What llama.cpp holds of an encoder's numbers.
 * @throws CheckIncompleteError MODEL_COUNT_INVALID
 */
export function requireLoadableEncoder(hparams: EncoderHparams, { type }: Encoder): void {
  const { imageSize, patchSize, nEmbd, nMerge, windowSize, nLayer, featureLayers, windows, codebooks, local } = hparams;
  const problems: readonly (readonly [boolean, string])[] = [
    [imageSize > MOST_IMAGE_SIZE, `image_size (${imageSize}) is too large (max ${MOST_IMAGE_SIZE})`],
    [patchSize <= 0 || patchSize >= BELOW, `patch_size (${patchSize}) must be positive and less than ${BELOW}`],
    [nEmbd <= 0, `n_embd (${nEmbd}) must be greater than 0`],
    [nMerge <= 0 || nMerge >= BELOW, `n_merge (${nMerge}) must be greater than 0 and less than ${BELOW}`],
    [windowSize > MOST_WINDOW, `attn_window_size (${windowSize}) is too large (max ${MOST_WINDOW})`],
    [featureLayers.some((layer) => layer > nLayer), `a feature layer index is out of range (n_layer: ${nLayer})`],
    [
      type === 'granite4_vision' && featureLayers.length !== windows.offsets.length,
      `feature_layers.size() ${featureLayers.length} != proj_spatial_offsets.size() ${windows.offsets.length}`,
    ],
    [type === 'mimo_audio' && codebooks.length === 0, 'mimo_audio: rvq.codebook_size is empty'],
    [type === 'mimo_audio' && local.groupSize <= 0, 'mimo_audio: local_group_size must be > 0'],
  ];
  const found = problems.find(([isThere]) => isThere);
  if (found !== undefined) throw refusedByLoader('MODEL_COUNT_INVALID', found[1]);
}
