import type { MetadataScalar } from '../../gguf/header.js';
import { Keys } from '../keys.js';
import { KEY_TYPES, type KeyType } from '../loading/key-types.js';
import { refusedByLoader } from '../loading/load-error.js';
import type { Encoder, Modality } from './encoder-hparams.js';

/**
 * The keys that `clip_model_loader` (`tools/mtmd/clip.cpp`, llama.cpp v0.5.0) reads, without `clip.`, by the type that it
 * takes for granted: another aborts llama-server, also where the key need not be there. `%` stands for each encoder's name.
 */
const TYPES: Readonly<Record<string, string>> = {
  bool: 'has_vision_encoder has_audio_encoder has_gen_audio_encoder use_gelu use_silu',
  str: 'projector_type %.projector_type vision.mm_patch_merge_type',
  i32: 'minicpmv_version',
  f32: '%.attention.layer_norm_epsilon',
  '[f32]': 'vision.image_mean vision.image_std',
  '[i32]': `%.feature_layer vision.image_grid_pinpoints vision.projector.spatial_offsets vision.wa_layer_indexes
    vision.wa_pattern_mode audio.wa_pattern_mode audio.rvq.codebook_size`,
  u32: `%.embedding_length %.block_count %.feed_forward_length %.projection_dim %.attention.head_count
    %.attention.head_count_kv %.attention.head_dim minicpmv_query_num vision.image_size vision.patch_size
    vision.expert_used_count vision.image_min_pixels vision.image_max_pixels vision.n_wa_pattern
    vision.preproc_image_size vision.preproc_min_tiles vision.preproc_max_tiles vision.projector.query_side
    vision.projector.scale_factor vision.projector.window_side vision.sam.block_count vision.sam.embedding_length
    vision.sam.head_count vision.spatial_merge_size vision.window_size audio.chunk_size audio.conv_kernel_size
    audio.local_block_count audio.local_group_size audio.max_pos_emb audio.num_mel_bins
    audio.projector.downsample_rate audio.projector.head_count audio.projector.stack_factor
    audio.projector.window_size audio.rvq.num_quantizers audio.subsampling_factor audio.window_size`,
};

/** Without which no encoder of the kind is loaded. */
const REQUIRED: Readonly<Record<Modality, readonly string[]>> = {
  vision: ['image_size', 'patch_size'],
  audio: ['num_mel_bins'],
};
const REQUIRED_OF_ALL = [
  ...['embedding_length', 'attention.head_count', 'feed_forward_length', 'block_count', 'projection_dim'],
  'attention.layer_norm_epsilon',
];
/** Red, green and blue. */
const COLOURS = 3;
const MAX_I32 = 2 ** 31 - 1;

/** `gguf_get_val_*` (`ggml/src/gguf.cpp`) reads an array of one element as that element. */
export function withSingleValues({ metadata, architecture, types }: Keys): Keys {
  const singles = new Map(
    [...metadata].flatMap(([key, value]) =>
      Array.isArray(value) && value.length === 1 && !isListKey(key) ? [[key, value[0] as MetadataScalar]] : [],
    ),
  );
  if (singles.size === 0) return new Keys(metadata, architecture, types);
  const single = types && new Map([...types].map(([key, type]) => [key, singles.has(key) ? type.slice(1, -1) : type]));
  return new Keys(new Map([...metadata, ...singles]), architecture, single);
}

function isListKey(key: string): boolean {
  const name = key.replace(/^clip\./, '').replace(/^(?:vision|audio)\.(?=feature_layer$)/, '%.');
  return Object.entries(TYPES).some(([type, names]) => type.startsWith('[') && names.split(/\s+/).includes(name));
}

/**
 * Holds a projector's keys against those that its encoders are loaded with.
 * @throws CheckIncompleteError in llama.cpp's words, where it has some
 */
export function requireProjectorKeys(keys: Keys, encoders: readonly Encoder[]): void {
  const modalities = encoders.map(({ modality }) => modality);
  for (const modality of modalities) {
    const missing = [...REQUIRED_OF_ALL, ...REQUIRED[modality]].find((key) => !keys.has(`clip.${modality}.${key}`));
    if (missing !== undefined) throw refusedByLoader('MODEL_KEY_MISSING', `Key not found: clip.${modality}.${missing}`);
  }
  for (const [type, names] of Object.entries(TYPES)) {
    for (const name of names.split(/\s+/)) {
      const readers = name.startsWith('%.') ? modalities.map((modality) => modality + name.slice(1)) : [name];
      for (const key of readers.filter((one) => isRead(one, modalities))) requireType(keys, `clip.${key}`, type);
    }
  }
  if (modalities.includes('vision')) requireColours(keys);
  if (encoders.some(({ type }) => type === ''))
    throw refusedByLoader('MODEL_KEY_MISSING', 'unknown projector type: no clip.projector_type says which it is');
}

/** What only one encoder has is not looked at for another. */
function isRead(key: string, modalities: readonly Modality[]): boolean {
  const owner = (['vision', 'audio'] as const).find((modality) => key.startsWith(`${modality}.`));
  return owner === undefined || modalities.includes(owner);
}

function requireType({ metadata, types }: Keys, key: string, wanted: string): void {
  const value = metadata.get(key);
  if (value === undefined) return;
  const type = types?.get(key);
  const isList = wanted.startsWith('[');
  const reason = isList
    ? (type === undefined ? typeof value === 'object' : type === wanted)
      ? undefined
      : `key '${key}' is not an array of ${wanted.slice(1, -1)}`
    : (KEY_TYPES[wanted] as KeyType)({ key, value, type, isRequired: true, layers: undefined });
  if (reason !== undefined) throw refusedByLoader('MODEL_KEY_TYPE', reason);
  if (wanted === 'u32' && Number(value) > MAX_I32)
    throw refusedByLoader('MODEL_COUNT_INVALID', `value ${Number(value)} for key '${key}' exceeds INT32_MAX`);
}

function requireColours(keys: Keys): void {
  const [mean, deviation] = ['mean', 'std'].map((name) => keys.arrayLength(`clip.vision.image_${name}`) ?? 0);
  if (Math.min(mean ?? 0, deviation ?? 0) >= COLOURS) return;
  throw refusedByLoader(
    'MODEL_KEY_MISSING',
    `image_mean/image_std arrays must have at least 3 elements, got ${mean} and ${deviation}`,
  );
}
