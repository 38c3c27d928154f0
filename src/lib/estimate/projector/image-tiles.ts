import type { EncoderHparams, MediaSize } from '../../model/projector/encoder-hparams.js';
import { graphError } from '../ggml/graph-error.js';
import { preservedRatio, square } from './image-sizes.js';

/*
 * How images are cut: `mtmd_image_preprocessor_llava_uhd` and those made from it (`tools/mtmd/mtmd-image.cpp`, llama.cpp
 * v0.5.0). Each function gives the pieces in the order in which they are encoded.
 */

/** Published resolutions are of at most some ten. */
const MOST_TILES = 4096;

/** Tiles by the header's resolutions (`image_res_candidates`), first the whole image. */
export function tilesByResolution({ imageSize, resolutions }: EncoderHparams, image: MediaSize): MediaSize[] {
  if (Math.max(image.width, image.height) <= imageSize) return [square(imageSize)];
  const { width, height } = bestResolution(image, resolutions);
  const count = Math.ceil(width / imageSize) * Math.ceil(height / imageSize);
  if (count > MOST_TILES) throw graphError(`${count} tiles of one image`);
  const tiles: MediaSize[] = [square(imageSize)];
  for (let y = 0; y < height; y += imageSize) {
    for (let x = 0; x < width; x += imageSize) {
      tiles.push({ width: Math.min(imageSize, width - x), height: Math.min(imageSize, height - y) });
    }
  }
  return tiles;
}

/** `select_best_resolution`: the most of the image, then the least waste. */
export function bestResolution(image: MediaSize, candidates: readonly MediaSize[]): MediaSize {
  let best = candidates[0] ?? image;
  let most = 0;
  let least = Infinity;
  for (const candidate of candidates) {
    const scale = Math.min(Math.fround(candidate.width / image.width), Math.fround(candidate.height / image.height));
    const fitted = Math.floor(Math.fround(image.width * scale)) * Math.floor(Math.fround(image.height * scale));
    const effective = Math.min(fitted, image.width * image.height);
    const wasted = candidate.width * candidate.height - effective;
    if (effective > most || (effective === most && wasted < least)) {
      most = effective;
      least = wasted;
      best = candidate;
    }
  }
  return best;
}

const MOST_SLICES = 9;

/** MiniCPM-V: slices of about the encoder's area in the image's own proportions. */
export function slices({ imageSize, patchSize, nMerge }: EncoderHparams, image: MediaSize): MediaSize[] {
  const { width, height } = image;
  const step = patchSize * nMerge;
  const isSliced = Math.max(width, height) > imageSize;
  if (!isSliced) return [square(imageSize)];
  const overview = bestResize(image, imageSize, step, false);
  const ratio = Math.fround(Math.fround(Math.fround(width) * height) / (imageSize * imageSize));
  const grid = bestGrid(Math.min(Math.ceil(ratio), MOST_SLICES), Math.fround(Math.log(Math.fround(width / height))));
  const cell = {
    width: Math.floor(divisible(width, grid.width) / grid.width),
    height: Math.floor(divisible(height, grid.height) / grid.height),
  };
  const slice = bestResize(cell, imageSize, step, true);
  return [overview, ...new Array<MediaSize>(grid.width * grid.height).fill(slice)];
}

function divisible(length: number, by: number): number {
  return Math.max(Math.trunc(Math.floor(Math.fround(length / by) + 0.5) * by), by);
}

function bestResize(image: MediaSize, scale: number, patchSize: number, upscale: boolean): MediaSize {
  let { width, height } = image;
  if (width * height > scale * scale || upscale) {
    const ratio = Math.fround(width / height);
    height = Math.trunc(Math.fround(scale / Math.fround(Math.sqrt(ratio))));
    width = Math.trunc(Math.fround(height * ratio));
  }
  return { width: divisible(width, patchSize), height: divisible(height, patchSize) };
}

/** `get_best_grid`: the grid whose proportions are nearest the image's. */
function bestGrid(multiple: number, logRatio: number): MediaSize {
  let best = square(1);
  let smallest = Infinity;
  for (const count of [multiple - 1, multiple, multiple + 1]) {
    if (count === 1 || count > MOST_SLICES) continue;
    for (let width = 1; width <= count; width++) {
      if (count % width !== 0) continue;
      const height = count / width;
      const error = Math.fround(Math.abs(logRatio - Math.log(width / height)));
      if (error < smallest) {
        best = { width, height };
        smallest = error;
      }
    }
  }
  return best;
}

/** MiniCPM-V 4.6: small images are not cut where patches are merged but once. */
export function laterSlices(hparams: EncoderHparams, image: MediaSize): MediaSize[] {
  const { imageSize, patchSize, nMerge } = hparams;
  const ratio = Math.fround((image.width * image.height) / (imageSize * imageSize));
  if (nMerge === 2 && ratio <= 1) return [bestResize(image, imageSize, patchSize * nMerge, true)];
  return slices(hparams, image);
}

/** LFM2: one size within the bounds, or tiles of 512 pixels and a thumbnail. */
const LFM2_TILE = 512;
const LFM2_TOLERANCE = 2;

export function lfm2Tiles(hparams: EncoderHparams, image: MediaSize): MediaSize[] {
  const { patchSize, nMerge, minPixels, maxPixels } = hparams;
  const align = patchSize * nMerge;
  const rounded = (length: number): number => Math.max(patchSize, Math.floor(length / align + 0.5) * align);
  const overview = preservedRatio(image, { align, minPixels, maxPixels, longestEdge: 0 });
  const isTiled = rounded(image.width) * rounded(image.height) > maxPixels * LFM2_TOLERANCE;
  return isTiled ? [square(LFM2_TILE), overview] : [overview];
}
