import type { EncoderHparams, MediaSize } from '../../model/projector/encoder-hparams.js';

/** Like `std::round`: halves away from zero. */
function round(value: number): number {
  return Math.floor(value + 0.5);
}

export interface SizeOptions {
  readonly align: number;
  readonly minPixels: number;
  readonly maxPixels: number;
  readonly longestEdge: number;
}

/** `img_tool::calc_size_preserved_ratio` (`tools/mtmd/mtmd-image.cpp`, llama.cpp v0.5.0), in single precision as there. */
export function preservedRatio({ width, height }: MediaSize, options: SizeOptions): MediaSize {
  const { align, minPixels, maxPixels, longestEdge } = options;
  const by = (rounding: (value: number) => number, value: number): number =>
    rounding(Math.fround(Math.fround(value) / Math.fround(align))) * align;
  let w: number;
  let h: number;
  if (longestEdge > 0) {
    const scale = Math.min(Math.fround(longestEdge / width), Math.fround(longestEdge / height));
    w = by(Math.ceil, Math.fround(width * scale));
    h = by(Math.ceil, Math.fround(height * scale));
  } else {
    w = Math.max(align, by(round, width));
    h = Math.max(align, by(round, height));
  }
  const pixels = Math.fround(Math.fround(height) * width);
  if (maxPixels > 0 && h * w > maxPixels) {
    const beta = Math.fround(Math.sqrt(Math.fround(pixels / maxPixels)));
    h = Math.max(align, by(Math.floor, Math.fround(height / beta)));
    w = Math.max(align, by(Math.floor, Math.fround(width / beta)));
  } else if (minPixels > 0 && h * w < minPixels) {
    const beta = Math.fround(Math.sqrt(Math.fround(minPixels / pixels)));
    h = by(Math.ceil, Math.fround(height * beta));
    w = by(Math.ceil, Math.fround(width * beta));
  }
  return { width: w, height: h };
}

export function square(side: number): MediaSize {
  return { width: side, height: side };
}

/** `mtmd_image_preprocessor_dyn_size`, and with a longest edge `mtmd_image_preprocessor_longest_edge`. */
export function dynamicSize(hparams: EncoderHparams, image: MediaSize): MediaSize[] {
  const { patchSize, nMerge, minPixels, maxPixels, longestEdge } = hparams;
  return [preservedRatio(image, { align: patchSize * nMerge, minPixels, maxPixels, longestEdge })];
}

/** `mtmd_image_preprocessor_fixed_size`. */
export function fixedSize({ imageSize }: EncoderHparams): MediaSize[] {
  return [square(imageSize)];
}

/** `mtmd_image_preprocessor_idefics3`: tiles of the encoder's size, and the whole image in one. */
export function idefics3(hparams: EncoderHparams, image: MediaSize): MediaSize[] {
  const { imageSize, longestEdge, minPixels, maxPixels } = hparams;
  if (longestEdge > 0 && minPixels <= 0 && maxPixels <= 0) return [square(imageSize)];
  const refined = preservedRatio(image, { align: imageSize, minPixels, maxPixels, longestEdge });
  const cut = (whole: number): number => Math.min(imageSize, whole % imageSize || imageSize);
  return [square(imageSize), { width: cut(refined.width), height: cut(refined.height) }];
}

/** The most tokens that an image can become, as near to a square as divides them well. */
export function largestGrid({ patchSize, nMerge, maxPixels }: EncoderHparams): MediaSize {
  const side = patchSize * nMerge;
  const tokens = Math.floor(maxPixels / (side * side));
  const root = Math.max(1, Math.floor(Math.sqrt(tokens)));
  let best = square(root);
  for (let short = root; short >= Math.max(1, root / 2); short--) {
    const long = Math.floor(tokens / short);
    if (short * long > best.width * best.height) best = { width: long, height: short };
  }
  return { width: best.width * side, height: best.height * side };
}
