import type { EncoderHparams, MediaSize } from '../../model/projector/encoder-hparams.js';
import { blockTokens } from '../graph/projector/deepseek4v.js';

/*
 * Sizes that are searched for: `mtmd_image_preprocessor_*` of the types named (`tools/mtmd/mtmd-image.cpp`, llama.cpp v0.5.0).
 */

/** `muse_glimmer_grid_size`: the tokens whose proportions are nearest the image's. */
export function museGlimmerSize({ patchSize, nMerge, maxPixels }: EncoderHparams, image: MediaSize): MediaSize[] {
  const side = patchSize * nMerge;
  const most = Math.floor(maxPixels / (side * side));
  let rows = image.height / side;
  let columns = image.width / side;
  if (rows * columns > most) {
    const ratio = columns / rows;
    rows = Math.sqrt(most / ratio);
    columns = rows * ratio;
  }
  const wanted = image.height / image.width;
  let best: { rows: number; columns: number; error: number } | undefined;
  for (const y of [Math.floor(rows), Math.ceil(rows)]) {
    for (const x of [Math.floor(columns), Math.ceil(columns)]) {
      if (y < 1 || x < 1 || y * x > most) continue;
      const error = Math.abs(y / x - wanted);
      const isLarger = best !== undefined && error === best.error && y * x > best.rows * best.columns;
      if (!best || error < best.error || isLarger) best = { rows: y, columns: x, error };
    }
  }
  const { rows: y, columns: x } = best ?? {
    rows: Math.max(1, Math.round(rows)),
    columns: Math.max(1, Math.round(columns)),
  };
  return [{ width: x * side, height: y * side }];
}

/** Smaller by a fiftieth until it is allowed, rounded up to whole tokens. */
const YOUTUVL_STEP = Math.fround(0.02);

export function youtuvlSize({ patchSize, nMerge, maxPixels }: EncoderHparams, image: MediaSize): MediaSize[] {
  const side = patchSize * nMerge;
  const most = Math.floor(maxPixels / (patchSize * patchSize));
  const scaled = (length: number, scale: number): number =>
    Math.max(side, Math.ceil(Math.fround(Math.fround(length * scale) / side)) * side);
  let size = image;
  for (let scale = 1; scale > 0; scale = Math.fround(scale - YOUTUVL_STEP)) {
    size = { width: scaled(image.width, scale), height: scaled(image.height, scale) };
    if (Math.floor(size.height / patchSize) * Math.floor(size.width / patchSize) <= most) break;
  }
  return [size];
}

const DEEPSEEK4V_WIDEST = 8;
/** Kept for what is put before an image to align it. */
const DEEPSEEK4V_LEAD = 3;

/** `safe_resize`: as large as its block of tokens may be. */
export function deepseek4vSize(hparams: EncoderHparams, image: MediaSize): MediaSize[] {
  const { patchSize, nMerge, minPixels, maxTokens } = hparams;
  let { width, height } = image;
  if (width > height * DEEPSEEK4V_WIDEST) width = height * DEEPSEEK4V_WIDEST;
  if (minPixels > 0 && width * height < minPixels) {
    const up = Math.sqrt(minPixels / (width * height));
    width = Math.trunc(width * up);
    height = Math.trunc(height * up);
  }
  const aligned = (length: number): number => Math.ceil(length / patchSize) * patchSize;
  const tokens = (size: MediaSize): number =>
    blockTokens(
      Math.ceil(Math.floor(size.width / patchSize) / nMerge),
      Math.ceil(Math.floor(size.height / patchSize) / nMerge),
    );
  const most = maxTokens - DEEPSEEK4V_LEAD;
  let size: MediaSize = { width: aligned(width), height: aligned(height) };
  for (let budget = most; tokens(size) > most && budget > 2; budget--) {
    size = solvedSize({ width, height }, patchSize, nMerge, budget);
  }
  return [size];
}

/** `solve_resize_ratio`. */
function solvedSize({ width, height }: MediaSize, patchSize: number, nMerge: number, budget: number): MediaSize {
  const side = patchSize * nMerge;
  const even = (count: number): number => count - (count % 2);
  const ratio = height / width;
  const columns = Math.sqrt((budget - 2) / ratio + 0.25) - 0.5;
  const rows = columns * ratio;
  if (columns < 1) return { width: side, height: even(Math.floor((budget - 2) / 2)) * side };
  if (rows < 2) return { width: Math.max(Math.floor((budget - 2) / 2) - 1, 2) * side, height: 2 * side };
  const beta = Math.min((Math.floor(columns) * side) / width, (even(Math.floor(rows)) * side) / height);
  const fitted = (length: number): number => Math.floor((length * beta) / patchSize) * patchSize;
  return { width: fitted(width), height: fitted(height) };
}
