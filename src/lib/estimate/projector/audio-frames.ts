import type { Encoder, EncoderHparams } from '../../model/projector/encoder-hparams.js';
import type { MediaBatch } from '../graph/projector/clip-graph.js';

/** `warmup_audio_size`: mel frames of 30 seconds, which is what Whisper's encoders take at a time. */
const WARMUP_FRAMES = 3000;
const HOP = 160;
const GEMMA4 = { chunkSeconds: 30, window: 320 };
const QWEN3 = { window: 800, chunk: 100 };
const DOTS3_CHUNK_SECONDS = 60;
const MIMO = { hop: 240, framesPerCode: 4 };
/** What nothing cuts into pieces is taken to be no longer than this, if the context holds as much. */
const LONGEST_SECONDS = 300;

type Frames = (samples: number, hparams: EncoderHparams) => readonly number[];

const whole: Frames = (samples) => [Math.floor(samples / HOP) + 1];

/** `mtmd_audio_preprocessor_*::preprocess` (`tools/mtmd/mtmd-audio.cpp`, llama.cpp v0.5.0): the frames of each graph. */
const FRAMES: Readonly<Record<string, Frames>> = {
  gemma4ua: (samples, { melBins }) => [Math.ceil(samples / melBins)],
  gemma4a: (samples, { sampleRate }) =>
    pieces(samples, GEMMA4.chunkSeconds * sampleRate).map(
      (length) => Math.floor((length + GEMMA4.window / 2 - (GEMMA4.window + 1)) / HOP) + 1,
    ),
  qwen3a: (samples) =>
    pieces(Math.floor(samples / HOP) + 1, QWEN3.window).map((frames) => Math.ceil(frames / QWEN3.chunk) * QWEN3.chunk),
  dots3note_a: (samples, { sampleRate }) =>
    pieces(samples, DOTS3_CHUNK_SECONDS * sampleRate)
      .map((length) => Math.floor(length / HOP))
      .filter((frames) => frames > 0),
  mimo_audio: (samples) => [Math.floor(samples / MIMO.hop) + 1],
  granite_speech: (samples) => [Math.floor((Math.floor(samples / HOP) + 1) / 2)],
  lfm2a: whole,
  parakeet: whole,
};

function pieces(length: number, piece: number): readonly number[] {
  return Array.from({ length: Math.ceil(length / piece) }, (_, i) => Math.min(piece, length - i * piece));
}

/** Frames that one token stands for, of encoders that take audio as a whole. */
const FRAMES_PER_TOKEN: Readonly<Record<string, (hparams: EncoderHparams) => number>> = {
  gemma4ua: () => 1,
  lfm2a: () => 8,
  parakeet: () => 8,
  granite_speech: ({ queries: { window, downsample } }) => window / Math.floor(window / downsample),
  mimo_audio: ({ local }) => MIMO.framesPerCode * local.groupSize,
};

/** True where the context decides how long a piece becomes: nothing else cuts what the encoder takes as a whole. */
export function isCutByContext({ type }: Encoder): boolean {
  return Object.hasOwn(FRAMES_PER_TOKEN, type);
}

function batchOf(width: number, { melBins }: EncoderHparams): MediaBatch {
  return { size: { width, height: melBins }, count: 1 };
}

/** The audio that the buffers are reserved for at start-up. */
export function audioWarmup(hparams: EncoderHparams): MediaBatch {
  return batchOf(WARMUP_FRAMES, hparams);
}

export function audioBatches(
  { type }: Encoder,
  hparams: EncoderHparams,
  seconds: readonly number[],
): readonly MediaBatch[] {
  const frames = FRAMES[type];
  if (!frames) return seconds.map(() => audioWarmup(hparams));
  return seconds.flatMap((one) =>
    frames(Math.floor(one * hparams.sampleRate), hparams).map((width) => batchOf(width, hparams)),
  );
}

/** Pieces as long as they become, or as much as a context of so many tokens holds where nothing cuts it. */
export function worstAudio(encoder: Encoder, hparams: EncoderHparams, contextTokens: number): readonly MediaBatch[] {
  const longest = audioBatches(encoder, hparams, [LONGEST_SECONDS]);
  const perToken = FRAMES_PER_TOKEN[encoder.type]?.(hparams);
  const most = perToken === undefined ? Infinity : Math.ceil(contextTokens * perToken);
  return longest.map(({ size }) => batchOf(Math.max(WARMUP_FRAMES, Math.min(size.width, most)), hparams));
}
