import type { Encoder, EncoderHparams, MediaSize } from '../../model/projector/encoder-hparams.js';
import type { MediaBatch } from '../graph/projector/clip-graph.js';
import { deepseek4vSize, museGlimmerSize, youtuvlSize } from './fitted-sizes.js';
import { deepseekTiles, graniteTiles, step3Crops } from './image-grids.js';
import { dynamicSize, fixedSize, idefics3, largestGrid, preservedRatio, square } from './image-sizes.js';
import { laterSlices, lfm2Tiles, slices, tilesByResolution } from './image-tiles.js';

type Preprocessor = (hparams: EncoderHparams, image: MediaSize) => MediaSize[];

const tiled: Preprocessor = (hparams, image) =>
  hparams.resolutions.length > 0 ? tilesByResolution(hparams, image) : fixedSize(hparams);

/** `mtmd_context::init_vision` (`tools/mtmd/mtmd.cpp`, llama.cpp v0.5.0): what an image becomes, by projector type. */
const PREPROCESSORS: Readonly<Record<string, Preprocessor>> = {
  mlp: tiled,
  ldp: tiled,
  ldpv2: tiled,
  adapter: tiled,
  janus_pro: tiled,
  internvl: tilesByResolution,
  llama4: tilesByResolution,
  cogvlm: tiled,
  resampler: slices,
  minicpmv4_6: laterSlices,
  step3vl: step3Crops,
  'muse-glimmer': museGlimmerSize,
  youtuvl: youtuvlSize,
  deepseek4v: deepseek4vSize,
  deepseekocr: deepseekTiles(true),
  deepseekocr2: deepseekTiles(false),
  granite4_vision: graniteTiles,
  yasa2: fixedSize,
  gemma3nv: fixedSize,
  idefics3,
  lfm2: lfm2Tiles,
  gemma3: fixedSize,
  pixtral: dynamicSize,
  lightonocr: dynamicSize,
  phi4: dynamicSize,
  kimivl: dynamicSize,
  kimik25: dynamicSize,
  paddleocr: dynamicSize,
  dots_ocr: dynamicSize,
  hunyuanvl: dynamicSize,
  nemotron_v2_vl: fixedSize,
  glm4v: dynamicSize,
  gemma4v: dynamicSize,
  gemma4uv: dynamicSize,
  qwen2vl_merger: dynamicSize,
  'qwen2.5vl_merger': dynamicSize,
  qwen3vl_merger: dynamicSize,
};

/** Sizes to find the worst slice among: ratios from 1:9 to 9:1 on an image that is cut as often as can be. */
const RATIOS = Array.from({ length: 161 }, (_, i) => 9 ** ((i - 80) / 80));

const SMALL_SIDE = 64;

function piecesOf({ type }: Encoder, hparams: EncoderHparams, image: MediaSize): MediaSize[] {
  return (PREPROCESSORS[type] ?? dynamicSize)(hparams, image);
}

/** What SAM's last convolutions leave of the patches along each side. */
const SAM_SCALE = 4;

/** Tokens of an image after preprocessing, as far as batching asks: `clip_n_output_tokens`. */
function tokensOf({ type }: Encoder, { patchSize, nMerge }: EncoderHparams, size: MediaSize): number {
  const { width, height, isOverview } = size;
  if (type.startsWith('deepseekocr')) {
    const [across, down] = [width, height].map((side) => Math.floor(side / patchSize / SAM_SCALE)) as [number, number];
    if (type === 'deepseekocr2') return across * down + (isOverview ? 1 : 0);
    return isOverview ? across * (across + 1) + 1 : (down + 1) * across;
  }
  return Math.floor((Math.floor(width / patchSize) * Math.floor(height / patchSize)) / (nMerge * nMerge));
}

/**
 * The graphs that these images are encoded with, in order; neighbours of one size together where the encoder can
 * (`mtmd_batch_add_chunk`), whole runs of equal images being one request.
 */
export function imageBatches(
  encoder: Encoder,
  hparams: EncoderHparams,
  images: readonly MediaSize[],
  batchTokens: number | undefined,
): MediaBatch[] {
  const batches: { size: MediaSize; count: number }[] = [];
  let previous: MediaSize | undefined;
  for (const image of images) {
    const isSameRequest = previous?.width === image.width && previous.height === image.height;
    let open = isSameRequest ? batches.at(-1) : undefined;
    for (const size of piecesOf(encoder, hparams, image)) {
      const fits =
        batchTokens !== undefined &&
        open !== undefined &&
        tokensOf(encoder, hparams, size) * (open.count + 1) <= batchTokens;
      if (fits && open?.size.width === size.width && open.size.height === size.height) {
        open.count++;
      } else {
        open = { size, count: 1 };
        batches.push(open);
      }
    }
    previous = image;
  }
  return batches;
}

/** The batches that no others exceed, whatever is sent. */
export function worstImages(encoder: Encoder, hparams: EncoderHparams, batchTokens: number | undefined): MediaBatch[] {
  const { imageSize, maxPixels, longestEdge } = hparams;
  const sizes: MediaSize[] = [];
  if (encoder.type === 'lightonocr') {
    const { patchSize, nMerge, minPixels } = hparams;
    sizes.push(preservedRatio(square(longestEdge), { align: patchSize * nMerge, minPixels, maxPixels, longestEdge }));
  } else if (maxPixels > 0) sizes.push(largestGrid(hparams));
  for (const ratio of RATIOS) {
    const image = (side: number): MediaSize => ({
      width: Math.round(side * Math.sqrt(ratio)),
      height: Math.round(side / Math.sqrt(ratio)),
    });
    // Small ones are enlarged to the least size, rounded up.
    sizes.push(...piecesOf(encoder, hparams, image(SMALL_SIDE)));
    if (imageSize > 0) sizes.push(...piecesOf(encoder, hparams, image(4 * imageSize)));
  }
  const largest = sizes.toSorted((a, b) => b.width * b.height - a.width * a.height)[0];
  if (!largest) return [];
  const batches: MediaBatch[] = [{ size: largest, count: 1 }];
  if (batchTokens === undefined) return batches;
  const single = maxPixels > 0 ? square(Math.sqrt(hparams.minPixels)) : largest;
  const unit = maxPixels > 0 ? smallest(hparams, single) : largest;
  const count = Math.floor(batchTokens / Math.max(1, tokensOf(encoder, hparams, unit)));
  if (count > 1) batches.push({ size: unit, count });
  return batches;
}

/** As small as an image becomes; many of them fill a batch best. */
function smallest(hparams: EncoderHparams, image: MediaSize): MediaSize {
  return dynamicSize(hparams, { width: Math.floor(image.width), height: Math.floor(image.height) })[0] ?? image;
}
