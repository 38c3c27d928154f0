import type { EncoderHparams, MediaSize } from '../../model/projector/encoder-hparams.js';
import { square } from './image-sizes.js';
import { bestResolution } from './image-tiles.js';

/*
 * Images cut into grids, each by a rule of its own: `mtmd_image_preprocessor_*` of the types named
 * (`tools/mtmd/mtmd-image.cpp`, llama.cpp v0.5.0).
 */

/** The whole image, then its tiles; where `fusesRows`, those of a row in one image, one below the other. */
export function deepseekTiles(fusesRows: boolean) {
  return (hparams: EncoderHparams, image: MediaSize): MediaSize[] => {
    const { imageSize, tileSize } = hparams;
    const overview: MediaSize = { ...square(imageSize), isOverview: true };
    if (Math.max(image.width, image.height) <= tileSize) return [overview];
    const { width: columns, height: rows } = closestRatio(hparams, image);
    const tile = fusesRows ? { width: tileSize, height: tileSize * columns } : square(tileSize);
    return [overview, ...new Array<MediaSize>(fusesRows ? rows : rows * columns).fill(tile)];
  };
}

/** `find_closest_aspect_ratio` among the grids of as many tiles as are allowed, small ones first. */
function closestRatio({ minTiles, maxTiles, tileSize }: EncoderHparams, image: MediaSize): MediaSize {
  const ratio = Math.fround(image.width / image.height);
  const area = Math.fround(image.width * image.height);
  let best = square(1);
  let least = Infinity;
  for (const grid of grids(minTiles, maxTiles)) {
    const difference = Math.abs(Math.fround(ratio - Math.fround(grid.width / grid.height)));
    const isLarge = area > 0.5 * tileSize * tileSize * grid.width * grid.height;
    if (difference < least || (difference === least && isLarge)) best = grid;
    least = Math.min(least, difference);
  }
  return best;
}

/** `get_target_ratios`. */
function grids(min: number, max: number): readonly MediaSize[] {
  const found = new Map<string, MediaSize>();
  for (let most = min; most <= max; most++) {
    for (let width = 1; width <= most; width++) {
      for (let height = 1; height <= most; height++) {
        const count = width * height;
        if (count >= min && count <= max) found.set(`${width}x${height}`, { width, height });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.width * a.height - b.width * b.height);
}

const STEP3 = { crop: 504, smallRatio: 1.5, wideRatio: 4, rounding: 0.2, narrow: 32 };

/** Step3-VL: the whole image, and crops of one size that a window steps over it by. */
export function step3Crops({ imageSize, longestEdge }: EncoderHparams, image: MediaSize): MediaSize[] {
  const { width, height } = prepared(image, longestEdge);
  const longer = Math.max(width, height);
  const shorter = Math.min(width, height);
  const ratio = longer / shorter;
  let window: number;
  if (longer <= imageSize) window = ratio > STEP3.smallRatio ? shorter : 0;
  else window = ratio > STEP3.wideRatio ? Math.min(shorter, STEP3.crop) : STEP3.crop;
  if (window <= 0) return [square(imageSize)];
  const steps = (length: number): number => {
    const times = length / window;
    const whole = Math.floor(times);
    const extent = times < 1 ? length : window * (times - whole > STEP3.rounding ? whole + 1 : whole);
    return extent <= window ? 1 : Math.ceil((extent - window) / window + 1);
  };
  return [square(imageSize), ...new Array<MediaSize>(steps(width) * steps(height)).fill(square(STEP3.crop))];
}

/** `prepare_image`: narrow ones padded to a square, large ones made smaller. */
function prepared(image: MediaSize, longestEdge: number): MediaSize {
  const ratio = image.width / image.height;
  const isNarrow =
    Math.min(image.width, image.height) < STEP3.narrow && (ratio > STEP3.wideRatio || ratio < 1 / STEP3.wideRatio);
  const { width, height } = isNarrow ? square(Math.max(image.width, image.height)) : image;
  if (Math.max(width, height) <= longestEdge) return { width, height };
  const scale = Math.fround(longestEdge / Math.max(width, height));
  const scaled = (length: number): number => Math.max(1, Math.floor(Math.fround(length * scale)));
  return { width: scaled(width), height: scaled(height) };
}

/** Granite 4 Vision: the whole image and its tiles one below the other, in one graph. */
export function graniteTiles({ imageSize, resolutions }: EncoderHparams, image: MediaSize): MediaSize[] {
  const { width, height } = bestResolution(image, resolutions);
  const columns = Math.floor(width / imageSize);
  const rows = Math.floor(height / imageSize);
  const original = { width: image.width, height: image.height };
  return [{ width: imageSize, height: imageSize * (1 + columns * rows), grid: { columns, rows, original } }];
}
