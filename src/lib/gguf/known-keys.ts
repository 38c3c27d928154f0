import { printable } from '../printable.js';
import { GgufError } from './gguf-error.js';
import type { MetadataValue } from './header.js';
import { ARRAY_TYPE, BOOL_TYPE, F32_TYPE, STRING_TYPE, U32_TYPE, VALUE_TYPE_NAMES } from './value-types.js';

type Kind = 'string' | 'count' | 'counts' | 'number' | 'boolean';

/** Keys whose type an estimate relies on, and what that type is; `counts` is one count or one a layer. */
const GENERAL_KEYS = new Map<string, Kind>(
  Object.entries<Kind>({
    'general.architecture': 'string',
    'general.name': 'string',
    'general.alignment': 'count',
    'general.file_type': 'count',
    'split.no': 'count',
    'split.count': 'count',
    'split.tensors.count': 'count',
  }),
);

/**
 * The same for keys that carry the architecture's name in front; `llama_model_base::load_hparams` of llama.cpp v0.5.0,
 * where `counts` are those read with `get_key_or_arr`.
 */
const ARCHITECTURE_KEYS = new Map<string, Kind>(
  Object.entries<Kind>({
    block_count: 'count',
    context_length: 'count',
    embedding_length: 'count',
    embedding_length_out: 'count',
    pooling_type: 'count',
    expert_group_count: 'count',
    expert_group_used_count: 'count',
    vocab_size: 'count',
    expert_count: 'count',
    expert_used_count: 'counts',
    expert_feed_forward_length: 'counts',
    nextn_predict_layers: 'count',
    feed_forward_length: 'counts',
    'attention.head_count': 'counts',
    'attention.head_count_kv': 'counts',
    'attention.key_length': 'count',
    'attention.value_length': 'count',
    'attention.key_length_swa': 'count',
    'attention.value_length_swa': 'count',
    'attention.layer_norm_epsilon': 'number',
    'attention.layer_norm_rms_epsilon': 'number',
    'attention.sliding_window': 'count',
    'attention.causal': 'boolean',
    'ssm.conv_kernel': 'count',
    'ssm.inner_size': 'count',
    'ssm.state_size': 'count',
    'ssm.group_count': 'count',
    'ssm.time_step_rank': 'count',
    'rope.dimension_count': 'count',
    'rope.dimension_count_swa': 'count',
    'rope.freq_base': 'number',
    'rope.scaling.attn_factor': 'number',
    'rope.scaling.factor': 'number',
    'rope.scaling.finetuned': 'boolean',
    'rope.scaling.original_context_length': 'count',
    'rope.scaling.type': 'string',
  }),
);

const MATCHES: Readonly<Record<Kind, (value: MetadataValue) => boolean>> = {
  string: (value) => typeof value === 'string',
  count: isCount,
  counts: (value) => isCount(value) || (Array.isArray(value) && value.every(isCount)),
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
};

const WORDS: Readonly<Record<Kind, string>> = {
  string: 'a string',
  count: 'a whole number from 0',
  counts: 'a whole number from 0, or one for each layer',
  number: 'a number',
  boolean: 'true or false',
};

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** The only type that `GGUFMeta::GKV::get_kv` (`src/llama-model-loader.cpp`, v0.5.0) takes for a single value of a kind. */
const TYPES: Readonly<Record<Kind, number>> = {
  string: STRING_TYPE,
  count: U32_TYPE,
  counts: U32_TYPE,
  number: F32_TYPE,
  boolean: BOOL_TYPE,
};
/** Read by other means, and by gguf-split's own. */
const ANY_TYPE = /^split\./;

/**
 * Throws `GGUF_METADATA_INVALID` when a key that estimates rely on has a value of another type.
 * @param types of the values by number, where the file itself was read
 */
export function checkKnownKeys(
  metadata: ReadonlyMap<string, MetadataValue>,
  name: string,
  types?: ReadonlyMap<string, number>,
): void {
  const architecture = metadata.get('general.architecture');
  const prefix = typeof architecture === 'string' ? `${architecture}.` : undefined;
  for (const [key, value] of metadata) {
    const kind = kindOf(key, prefix);
    const type = types?.get(key);
    // Of a name that is too long to be kept the type is enough.
    const isUnkept = key === 'general.name' && type === STRING_TYPE;
    if (kind !== undefined && !isUnkept && !MATCHES[kind](value)) {
      throw new GgufError('GGUF_METADATA_INVALID', `${name}: the key ${printable(key)} is not ${WORDS[kind]}`);
    }
    if (kind === undefined || type === undefined || type === ARRAY_TYPE || ANY_TYPE.test(key)) continue;
    if (type !== TYPES[kind]) {
      throw new GgufError(
        'GGUF_METADATA_INVALID',
        `${name}: llama.cpp does not load this file: key ${printable(key)} has wrong type ${VALUE_TYPE_NAMES[type]} but expected type ${VALUE_TYPE_NAMES[TYPES[kind]]}`,
      );
    }
  }
}

function kindOf(key: string, prefix: string | undefined): Kind | undefined {
  const general = GENERAL_KEYS.get(key);
  if (general !== undefined || prefix === undefined || !key.startsWith(prefix)) return general;
  return ARCHITECTURE_KEYS.get(key.slice(prefix.length));
}
