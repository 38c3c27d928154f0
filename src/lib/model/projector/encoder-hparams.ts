export type Modality = 'vision' | 'audio';

/** Pixels, or for audio mel frames by mel bins. */
export interface MediaSize {
  readonly width: number;
  readonly height: number;
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
}

export type FfnOp = 'gelu' | 'gelu_erf' | 'gelu_quick' | 'silu' | 'relu_sqr';

export interface Encoder {
  readonly modality: Modality;
  /** `clip.projector_type`, as `PROJECTOR_TYPE_NAMES` (`tools/mtmd/clip-impl.h`) spells it. */
  readonly type: string;
}
