import type { Keys } from '../keys.js';
import type { EncoderHparams, TokenLimits } from './encoder-hparams.js';
import { tileCount } from './encoder-limits.js';

type EncoderRule = (hparams: EncoderHparams, keys: Keys, limits: TokenLimits) => void;

function all(...rules: EncoderRule[]): EncoderRule {
  return (hparams, keys, limits) => {
    for (const rule of rules) rule(hparams, keys, limits);
  };
}

/** Pixels that one token stands for. */
function tokenArea({ patchSize, nMerge }: EncoderHparams): number {
  return (patchSize * nMerge) ** 2;
}

/** `clip_hparams::set_limit_image_tokens(min, max)`. */
function tokens(min: number, max: number): EncoderRule {
  return (hparams, _keys, { minTokens, maxTokens }) => {
    hparams.minPixels = (minTokens || min) * tokenArea(hparams);
    hparams.maxPixels = (maxTokens || max) * tokenArea(hparams);
    hparams.warmupSize = Math.floor(Math.sqrt(hparams.maxPixels));
  };
}

/** `clip_hparams::set_limit_image_tokens()`: only what was asked for. */
const askedTokens: EncoderRule = (hparams, _keys, { minTokens, maxTokens }) => {
  if (minTokens) hparams.minPixels = minTokens * tokenArea(hparams);
  if (maxTokens) hparams.maxPixels = maxTokens * tokenArea(hparams);
};

/** `clip_hparams::set_warmup_n_tokens(side²)`. */
function warmup(side: number): EncoderRule {
  return (hparams) => {
    hparams.warmupSize = side * hparams.patchSize * hparams.nMerge;
  };
}

function merge(fallback: number, key: 'projector.scale_factor' | 'spatial_merge_size'): EncoderRule {
  return (hparams, keys) => {
    hparams.nMerge = keys.number(`vision.${key}`, fallback);
  };
}

const pixelBounds: EncoderRule = (hparams, keys) => {
  hparams.minPixels = keys.required('vision.image_min_pixels');
  hparams.maxPixels = keys.required('vision.image_max_pixels');
};

function longestEdge(fallback: (hparams: EncoderHparams) => number): EncoderRule {
  return (hparams, keys) => {
    hparams.longestEdge = keys.number('vision.preproc_image_size', 0) || fallback(hparams);
  };
}

function windows(required: boolean): EncoderRule {
  return (hparams, keys) => {
    hparams.windowPattern = required ? keys.required('vision.n_wa_pattern') : keys.number('vision.n_wa_pattern', 0);
  };
}

function ffn(op: EncoderHparams['ffn']): EncoderRule {
  return (hparams) => {
    hparams.ffn = op;
  };
}

const gemma4: EncoderRule = all(merge(3, 'projector.scale_factor'));

/** Merging is done by the convolution: `PROJECTOR_TYPE_GEMMA4UV`. */
const unified: EncoderRule = (hparams) => {
  hparams.patchSize *= hparams.nMerge;
  hparams.nMerge = 1;
};

const resampler: EncoderRule = (hparams, keys) => {
  const newer = [3, 4, 5, 6, 100045].includes(keys.number('minicpmv_version', 0));
  hparams.nQuery = keys.number('minicpmv_query_num', 0) || (newer ? 64 : 96);
};

/** `set_internvl_dhr_res_candidates`. */
const internvl: EncoderRule = (hparams, keys) => {
  hparams.minTiles = tileCount(keys, 'min', 1);
  hparams.maxTiles = tileCount(keys, 'max', 12);
  const { minTiles, maxTiles, imageSize } = hparams;
  if (minTiles < 1) return;
  for (let a = minTiles; a <= maxTiles; a++) {
    const from = Math.max(Math.floor((minTiles + a - 1) / a), minTiles);
    const to = Math.min(Math.floor(maxTiles / a), maxTiles);
    for (let b = from; b <= to; b++) hparams.resolutions.push({ width: a * imageSize, height: b * imageSize });
  }
};

/** `set_llava_uhd_res_candidates` with three tiles a side. */
const llama4: EncoderRule = (hparams) => {
  for (let x = 1; x <= 3; x++) {
    for (let y = 1; y <= 3; y++) {
      if (x > 1 || y > 1) hparams.resolutions.push({ width: x * hparams.imageSize, height: y * hparams.imageSize });
    }
  }
};

const whisper: EncoderRule = all(ffn('gelu_erf'), (hparams, keys) => {
  hparams.stackFactor = keys.number('audio.projector.stack_factor', 0);
});

const minicpmv46: EncoderRule = all(merge(4, 'projector.scale_factor'), (hparams, keys) => {
  hparams.insertLayer = keys.list('vision.wa_layer_indexes')[0] ?? 0;
});

const kimik25: EncoderRule = (hparams, keys, limits) => {
  const min = keys.number('vision.image_min_pixels', 0);
  const max = keys.number('vision.image_max_pixels', 0);
  if (min <= 0 || max <= 0) {
    tokens(2, 4096)(hparams, keys, limits);
    return;
  }
  hparams.minPixels = min;
  hparams.maxPixels = max;
  hparams.warmupSize = Math.floor(Math.sqrt(max));
};

const boundsFromHeader: EncoderRule = (hparams, keys) => {
  hparams.minPixels = keys.number('vision.image_min_pixels', hparams.minPixels);
  hparams.maxPixels = keys.number('vision.image_max_pixels', hparams.maxPixels);
};

/** `KEY_WA_PATTERN_MODE`, one for each layer. */
const windowModes = (modality: 'vision' | 'audio'): EncoderRule => {
  return (hparams, keys) => {
    hparams.windowModes = keys.list(`${modality}.wa_pattern_mode`);
  };
};

const youtuvl: EncoderRule = (hparams, keys) => {
  hparams.globalLayers = keys.list('vision.wa_layer_indexes');
};

/** DeepSeek-OCR: everything but SAM's shape is fixed. */
function deepseekocr(tileSize: number, maxTiles: number): EncoderRule {
  return (hparams, keys) => {
    Object.assign(hparams, { patchSize: 16, imageSize: 1024, warmupSize: 1024, tileSize });
    hparams.sam = {
      nLayer: keys.required('vision.sam.block_count'),
      nHead: keys.required('vision.sam.head_count'),
      nEmbd: keys.required('vision.sam.embedding_length'),
    };
    hparams.windowSize = keys.required('vision.window_size');
    hparams.minTiles = tileCount(keys, 'min', 2);
    hparams.maxTiles = tileCount(keys, 'max', maxTiles);
  };
}

/** The least and the most that DeepSeek-V4's blocks of tokens are, and the image for the start. */
const DEEPSEEK4V = { tokens: 384, leastTokens: 16, warmupTokens: 256 };

const deepseek4v: EncoderRule = (hparams, keys, { minTokens, maxTokens }) => {
  const area = tokenArea(hparams);
  const min = minTokens ? minTokens * area : keys.required('vision.image_min_pixels');
  hparams.maxTokens = maxTokens ? Math.max(maxTokens, DEEPSEEK4V.leastTokens) : DEEPSEEK4V.tokens;
  hparams.maxPixels = hparams.maxTokens * area;
  hparams.minPixels = Math.min(min, hparams.maxPixels);
  const side = Math.floor(Math.sqrt(Math.min(DEEPSEEK4V.warmupTokens, hparams.maxTokens)));
  hparams.warmupSize = side * hparams.patchSize * hparams.nMerge;
};

const graniteSpeech: EncoderRule = (hparams, keys) => {
  hparams.chunkSize = keys.required('audio.chunk_size');
  hparams.convKernel = keys.required('audio.conv_kernel_size');
  hparams.queries = {
    window: keys.required('audio.projector.window_size'),
    downsample: keys.required('audio.projector.downsample_rate'),
    nHead: keys.required('audio.projector.head_count'),
  };
};

const graniteVision: EncoderRule = (hparams, keys) => {
  hparams.windows = {
    side: keys.required('vision.projector.window_side'),
    querySide: keys.required('vision.projector.query_side'),
    offsets: keys.list('vision.projector.spatial_offsets'),
  };
};

const mimoAudio: EncoderRule = (hparams, keys) => {
  hparams.sampleRate = 24000;
  hparams.codebooks = keys.list('audio.rvq.codebook_size');
  hparams.local = {
    nLayer: keys.required('audio.local_block_count'),
    groupSize: keys.required('audio.local_group_size'),
  };
};

/** What `blk` counts in MobileNet's tensors; the header's number is of something else. */
const MOBILENET_STAGES = 4;

/** By projector type, the switch of `clip_model_loader::load_hparams`. Types that are not listed keep the header's values. */
export const ENCODER_RULES: Readonly<Record<string, EncoderRule>> = {
  resampler,
  minicpmv4_6: minicpmv46,
  internvl: all(merge(1, 'projector.scale_factor'), internvl),
  nemotron_v2_vl: merge(1, 'projector.scale_factor'),
  idefics3: all(
    merge(1, 'projector.scale_factor'),
    longestEdge(() => 0),
    askedTokens,
  ),
  lfm2: all(merge(1, 'projector.scale_factor'), tokens(64, 256)),
  phi4: all(pixelBounds, warmup(16)),
  pixtral: all(merge(1, 'spatial_merge_size'), tokens(8, 1024), warmup(16)),
  lightonocr: all(
    merge(1, 'spatial_merge_size'),
    longestEdge((h) => h.imageSize),
    askedTokens,
    warmup(16),
  ),
  dots_ocr: all(merge(1, 'projector.scale_factor'), pixelBounds, warmup(46)),
  dots3note_v: all(merge(1, 'spatial_merge_size'), pixelBounds, warmup(46), (hparams, keys) => {
    hparams.nExpertUsed = keys.required('vision.expert_used_count');
  }),
  kimivl: all(merge(1, 'projector.scale_factor'), tokens(8, 1024), warmup(16)),
  kimik25: all(merge(1, 'projector.scale_factor'), kimik25),
  gemma3: merge(4, 'projector.scale_factor'),
  gemma3nv: all(merge(1, 'projector.scale_factor'), (hparams) => {
    hparams.nLayer = MOBILENET_STAGES;
  }),
  gemma4v: all(gemma4, tokens(70, 1120), warmup(16)),
  gemma4uv: all(gemma4, unified, tokens(70, 1120), warmup(16)),
  gemma4ua: (hparams) => {
    hparams.melBins = 640;
  },
  qwen2vl_merger: all(merge(2, 'spatial_merge_size'), windows(false), tokens(8, 4096), warmup(46)),
  'qwen2.5vl_merger': all(merge(2, 'spatial_merge_size'), windows(true), tokens(8, 4096), warmup(46)),
  qwen3vl_merger: all(merge(2, 'spatial_merge_size'), windows(false), tokens(8, 4096), warmup(46)),
  minimax_m3: all(merge(2, 'spatial_merge_size'), tokens(8, 576), warmup(16)),
  'muse-glimmer': all(merge(2, 'spatial_merge_size'), tokens(1, 4096), warmup(32)),
  mimovl: all(merge(2, 'spatial_merge_size'), pixelBounds, warmup(46), windowModes('vision')),
  exaone4_5: all(merge(2, 'spatial_merge_size'), windows(false), pixelBounds, warmup(46)),
  step3vl: all(
    merge(4, 'projector.scale_factor'),
    longestEdge(() => 3024),
  ),
  youtuvl: all(merge(2, 'spatial_merge_size'), tokens(1, 62500), warmup(16), youtuvl),
  deepseekocr: deepseekocr(640, 9),
  deepseekocr2: deepseekocr(768, 6),
  deepseek4v: all(merge(1, 'projector.scale_factor'), deepseek4v),
  granite_speech: graniteSpeech,
  granite4_vision: graniteVision,
  parakeet: (hparams, keys) => {
    hparams.convKernel = keys.required('audio.conv_kernel_size');
  },
  mimo_audio: all(ffn('gelu_erf'), windowModes('audio'), mimoAudio),
  yasa2: ffn('gelu_erf'),
  glm4v: all(merge(2, 'spatial_merge_size'), tokens(8, 4096), warmup(46)),
  llama4: all(merge(1, 'projector.scale_factor'), llama4),
  paddleocr: all(
    (hparams) => {
      hparams.nMerge = 2;
    },
    pixelBounds,
    warmup(28),
  ),
  hunyuanvl: all(
    ffn('gelu'),
    (hparams, keys, limits) => {
      hparams.nMerge = 2;
      tokens(256, 16384)(hparams, keys, limits);
    },
    merge(2, 'spatial_merge_size'),
    boundsFromHeader,
    warmup(32),
  ),
  ultravox: whisper,
  qwen2a: whisper,
  qwen3a: whisper,
  glma: whisper,
  voxtral: whisper,
  meralion: whisper,
  musicflamingo: whisper,
};
