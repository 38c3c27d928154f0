import type { Keys } from '../keys.js';
import type { ProjectorShape } from '../model-shape.js';
import type { Encoder, EncoderHparams, MediaSize, Modality, TokenLimits } from './encoder-hparams.js';
import { requireLoadableEncoder } from './encoder-limits.js';
import { ENCODER_RULES } from './encoder-rules.js';

/** Legacy name of a projector with both encoders. */
const OMNI_TYPES: Readonly<Record<Modality, string>> = { vision: 'qwen2.5vl_merger', audio: 'qwen2a' };

function clipKeys({ keys }: Pick<ProjectorShape, 'keys'>): Keys {
  return keys.architecture === 'clip' ? keys : keys.under('clip');
}

/** The encoders that llama-server makes of a projector: `clip_init` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0). */
export function encodersOf(shape: Pick<ProjectorShape, 'keys'>): readonly Encoder[] {
  const keys = clipKeys(shape);
  const encoders = (['vision', 'audio'] as const)
    .filter((modality) => keys.boolean(`has_${modality}_encoder`, false))
    .map((modality): Encoder => {
      const type = keys.text('projector_type') || keys.text(`${modality}.projector_type`) || '';
      return { modality, type: type === 'qwen2.5o' ? OMNI_TYPES[modality] : type };
    });
  return encoders[0]?.type === 'gemma3nv' ? encoders.slice(0, 1) : encoders;
}

/**
 * `clip_model_loader::load_hparams` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0).
 * @throws CheckIncompleteError if the header lacks a key that llama.cpp requires.
 */
export function readEncoderHparams(
  shape: Pick<ProjectorShape, 'keys'>,
  { modality, type }: Encoder,
  limits: TokenLimits,
): EncoderHparams {
  const keys = clipKeys(shape);
  const nEmbd = keys.required(`${modality}.embedding_length`);
  const nHead = keys.required(`${modality}.attention.head_count`);
  const isVision = modality === 'vision';
  const imageSize = isVision ? keys.required('vision.image_size') : 0;
  const hparams: EncoderHparams = {
    imageSize,
    patchSize: isVision ? keys.required('vision.patch_size') : 1,
    nEmbd,
    nFf: keys.number(`${modality}.feed_forward_length`, 0),
    projectionDim: keys.number(`${modality}.projection_dim`, 0),
    nHead,
    nHeadKv: keys.number(`${modality}.attention.head_count_kv`, nHead),
    headSize: keys.number(`${modality}.attention.head_dim`, 0) || (nHead > 0 ? Math.floor(nEmbd / nHead) : 0),
    nLayer: keys.required(`${modality}.block_count`),
    nMerge: 1,
    minPixels: 0,
    maxPixels: 0,
    longestEdge: 0,
    warmupSize: imageSize,
    ffn: keys.boolean('use_gelu', false) ? 'gelu' : keys.boolean('use_silu', false) ? 'silu' : 'gelu_quick',
    featureLayers: keys.list(`${modality}.feature_layer`),
    windowPattern: 0,
    resolutions: pinpoints(keys),
    minTiles: 0,
    maxTiles: 0,
    stackFactor: 0,
    melBins: isVision ? 0 : keys.required('audio.num_mel_bins'),
    sampleRate: 16000,
    nQuery: 0,
    insertLayer: 0,
    nExpertUsed: 0,
    windowModes: [],
    globalLayers: [],
    windowSize: 0,
    tileSize: 0,
    sam: { nLayer: 0, nHead: 0, nEmbd: 0 },
    maxTokens: 0,
    convKernel: 0,
    chunkSize: 0,
    queries: { window: 0, downsample: 0, nHead: 0 },
    windows: { side: 0, querySide: 0, offsets: [] },
    codebooks: [],
    local: { nLayer: 0, groupSize: 0 },
  };
  if (Object.hasOwn(ENCODER_RULES, type)) ENCODER_RULES[type]?.(hparams, keys, limits);
  requireLoadableEncoder(hparams, { modality, type });
  return hparams;
}

function pinpoints(keys: Keys): MediaSize[] {
  const numbers = keys.list('vision.image_grid_pinpoints');
  return Array.from({ length: Math.floor(numbers.length / 2) }, (_, i) => ({
    width: numbers[2 * i] as number,
    height: numbers[2 * i + 1] as number,
  }));
}
