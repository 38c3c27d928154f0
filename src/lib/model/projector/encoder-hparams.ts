export type Modality = 'vision' | 'audio';

/** Pixels, or for audio mel frames by mel bins. */
export interface MediaSize {
  readonly width: number;
  readonly height: number;
  /** Of an image that was cut: the whole of it, made small. */
  readonly isOverview?: boolean;
  /** Of an image whose tiles are one below the other, the whole first: how they lie, and what the image was. */
  readonly grid?: { readonly columns: number; readonly rows: number; readonly original: MediaSize };
}

/** What `--image-min-tokens` and `--image-max-tokens` say. */
export interface TokenLimits {
  readonly minTokens?: number | undefined;
  readonly maxTokens?: number | undefined;
}

/** `struct clip_hparams` (`tools/mtmd/clip-model.h`, llama.cpp v0.5.0), as far as memory depends on it. */
export interface EncoderHparams {
  imageSize: number;
  patchSize: number;
  nEmbd: number;
  nFf: number;
  projectionDim: number;
  nHead: number;
  nHeadKv: number;
  headSize: number;
  nLayer: number;
  /** Patches merged into one token, along each side. */
  nMerge: number;
  /** Bounds on the pixels of an image; 0 = none. */
  minPixels: number;
  maxPixels: number;
  longestEdge: number;
  /** Side of the image that the buffers are reserved for at start-up. */
  warmupSize: number;
  ffn: FfnOp;
  /** Layers to collect features from; empty = the last. */
  featureLayers: readonly number[];
  /** Every n-th layer sees everything, the others a window; 0 = no windows. */
  windowPattern: number;
  /** Sizes that an image is cut into tiles from (`image_res_candidates`). */
  resolutions: MediaSize[];
  minTiles: number;
  maxTiles: number;
  /** Frames stacked into one token. */
  stackFactor: number;
  melBins: number;
  sampleRate: number;
  /** Queries of a resampler. */
  nQuery: number;
  /** Layer after which MiniCPM-V 4.6 merges patches. */
  insertLayer: number;
  /** Experts that a token is sent to, of a mixture in an encoder. */
  nExpertUsed: number;
  /** How each layer looks: -1 = at everything, 0 = along rows, 1 = along columns (`wa_pattern_mode`). */
  windowModes: readonly number[];
  /** Layers that see everything, where the others have windows; empty = all do. */
  globalLayers: readonly number[];
  /** Patches along each side of a window. */
  windowSize: number;
  /** Side of the tiles that a large image is cut into, where it is not the image's (`preproc_tile_size`). */
  tileSize: number;
  /** A first encoder before the transformer, as in SAM. */
  sam: { readonly nLayer: number; readonly nHead: number; readonly nEmbd: number };
  /** Tokens of one image with what separates its rows, at most. */
  maxTokens: number;
  /** Of a conformer's convolutions. */
  convKernel: number;
  /** Positions that attend together. */
  chunkSize: number;
  /** Of a projector of queries: positions that one set reads, sets of queries for those, heads. */
  queries: { readonly window: number; readonly downsample: number; readonly nHead: number };
  /** Of a projector of queries over windows of an image: sides in patches and in queries, and how each block samples. */
  windows: { readonly side: number; readonly querySide: number; readonly offsets: readonly number[] };
  /** Codes of each codebook. */
  codebooks: readonly number[];
  /** A transformer over groups of codes. */
  local: { readonly nLayer: number; readonly groupSize: number };
}

export type FfnOp = 'gelu' | 'gelu_erf' | 'gelu_quick' | 'silu' | 'relu_sqr';

export interface Encoder {
  readonly modality: Modality;
  /** `clip.projector_type`, as `PROJECTOR_TYPE_NAMES` (`tools/mtmd/clip-impl.h`) spells it. */
  readonly type: string;
}
