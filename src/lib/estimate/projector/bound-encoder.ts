import type { ProjectorShape } from '../../model/model-shape.js';
import type { Encoder, EncoderHparams } from '../../model/projector/encoder-hparams.js';
import { readEncoderHparams } from '../../model/projector/encoders.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { CheckIncompleteError } from '../../errors.js';

const F32_BYTES = 4;
/** Results of a layer that could be alive at once, in rows of the embedding and of the feed-forward width. */
const EMBEDDINGS = 16;
const FEED_FORWARDS = 3;
/** Scores before and after softmax, or masks of windows. */
const SCORES = 3;
/** The image, its copy for the convolution, and as much again. */
const COPIES_OF_IMAGE = 6;
const SLACK_BYTES = 128 * 2 ** 20;
/** Encoders that are no transformers over patches: what any that was measured took of its file's size, and more. */
const OF_FILE = { atStart: 1.5, added: 2.5 };
/** An image that a header without bounds is taken to allow. */
const LARGEST_SIDE = 2048;
const AUDIO_FRAMES = 3000;

export interface BoundBytes {
  readonly atStart: number;
  readonly added: number;
}

/**
 * Compute buffers of an encoder whose graph is not described here, all of it counted on the encoder's device: everything
 * that a transformer of its width produces for one image counts as alive at once.
 */
export function boundEncoder(shape: ProjectorShape, encoder: Encoder, launch: LaunchOptions): BoundBytes {
  const bySize = { atStart: OF_FILE.atStart * shape.fileBytes, added: OF_FILE.added * shape.fileBytes };
  const hparams = readable(shape, encoder, launch);
  if (!hparams) return withSlack(bySize);
  const side = Math.sqrt(hparams.maxPixels) || Math.max(LARGEST_SIDE, hparams.imageSize);
  const atStart = imageBytes(encoder, hparams, hparams.warmupSize, launch);
  const largest = imageBytes(encoder, hparams, Math.max(side, hparams.warmupSize), launch);
  return withSlack({
    atStart: Math.max(atStart, bySize.atStart),
    added: Math.max(largest - atStart, bySize.added),
  });
}

function withSlack({ atStart, added }: BoundBytes): BoundBytes {
  return { atStart: Math.ceil(atStart) + SLACK_BYTES, added: Math.ceil(added) + SLACK_BYTES };
}

function readable(shape: ProjectorShape, encoder: Encoder, launch: LaunchOptions): EncoderHparams | undefined {
  try {
    return readEncoderHparams(shape, encoder, { minTokens: launch.imageMinTokens, maxTokens: launch.imageMaxTokens });
  } catch (error) {
    if (error instanceof CheckIncompleteError) return undefined;
    throw error;
  }
}

function imageBytes(
  { modality }: Encoder,
  { patchSize, nEmbd, nFf, nHead, melBins }: EncoderHparams,
  side: number,
  { flashAttn }: LaunchOptions,
): number {
  const isAudio = modality === 'audio';
  const positions = isAudio ? AUDIO_FRAMES : (side / patchSize) ** 2;
  const input = isAudio ? AUDIO_FRAMES * melBins : 3 * side ** 2;
  const rows = EMBEDDINGS * nEmbd + FEED_FORWARDS * nFf;
  const scores = SCORES * positions ** 2 * (flashAttn === 'off' ? Math.max(1, nHead) : 1);
  return F32_BYTES * (positions * rows + COPIES_OF_IMAGE * input + scores);
}
