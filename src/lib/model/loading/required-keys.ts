import type { MetadataValue } from '../../gguf/header.js';
import type { ModelShape } from '../model-shape.js';
import { KEYS_WITH_BAD_DEFAULTS, REQUIRED_KEYS } from './key-table.js';
import { refusedByLoader } from './load-error.js';

interface RequiredKey {
  /** With the architecture's name in front, where llama.cpp looks for it there. */
  readonly key: string;
  readonly type: KeyType;
}

/** A value as llama.cpp takes it, in words. */
interface KeyType {
  readonly matches: (value: MetadataValue) => boolean;
  readonly wanted: string;
  readonly missing: string;
}

const isNumber = (value: MetadataValue): boolean => typeof value === 'number';
const isArray = (value: MetadataValue): boolean =>
  Array.isArray(value) || (typeof value === 'object' && 'skipped' in value);

const NUMBER: KeyType = { matches: isNumber, wanted: 'a number', missing: 'key' };
const EACH: KeyType = {
  matches: (value) => isNumber(value) || isArray(value),
  wanted: 'a number, or a list of numbers',
  missing: 'key',
};
const TRUTH: KeyType = { matches: (value) => typeof value === 'boolean', wanted: 'true or false', missing: 'key' };
const LIST: KeyType = { matches: isArray, wanted: 'a list', missing: 'array key' };
/** By what the table calls it. */
const TYPES: Readonly<Record<string, KeyType>> = {
  f32: NUMBER,
  u32: NUMBER,
  f32s: EACH,
  u32s: EACH,
  bool: TRUTH,
  list: LIST,
};

type Condition = (shape: ModelShape) => string | undefined;

/** What is asked for only sometimes; the reason of a refusal where it is missing. */
const SOMETIMES: ReadonlyMap<string, readonly Condition[]> = new Map<string, readonly Condition[]>([
  ['deepseek2', [requireQueryRank, requireOneKeyHead]],
  ['mistral4', [requireQueryRank, requireOneKeyHead]],
  ['deepseek32', [requireOneKeyHead]],
  ['dots3note', [requireOneKeyHead]],
  ['glm-dsa', [requireOneKeyHead]],
  ['hy_v4', [requireOneKeyHead]],
  ['cohere2moe', [requireAnyEpsilon]],
  ['qwen4exp', [requireNgrams]],
]);

/**
 * Holds a header against the keys that its architecture's loader asks for.
 * @throws CheckIncompleteError in llama.cpp's words, where one is missing or of another kind
 */
export function requireKeys(shape: ModelShape): void {
  const { architecture, keys } = shape;
  for (const { key: name, type } of requiredKeys(architecture)) {
    const value = keys.metadata.get(name);
    if (value === undefined) throw refusedByLoader('MODEL_KEY_MISSING', `${type.missing} not found in model: ${name}`);
    if (!type.matches(value)) {
      throw refusedByLoader('MODEL_KEY_TYPE', `key ${name} has wrong type, it is not ${type.wanted}`);
    }
  }
  for (const condition of SOMETIMES.get(architecture) ?? []) {
    const reason = condition(shape);
    if (reason !== undefined) throw refusedByLoader('MODEL_KEY_MISSING', reason);
  }
}

/** `llama_model_deepseek2`: all but the models that it takes for "lite" have queries of a low rank. */
function requireQueryRank({ architecture, keys, hparams: { nLayer, nVocab } }: ModelShape): string | undefined {
  const isLite = nLayer === 27 || nLayer === 26 || (nLayer === 48 && nVocab === 128256);
  const key = 'attention.q_lora_rank';
  return isLite || keys.has(key) ? undefined : `key not found in model: ${architecture}.${key}`;
}

/** `llama_model_cohere2moe`: one of the two is enough. */
function requireAnyEpsilon({ keys }: ModelShape): string | undefined {
  const epsilons = ['attention.layer_norm_epsilon', 'attention.layer_norm_rms_epsilon'];
  return epsilons.some((key) => keys.has(key)) ? undefined : 'missing Cohere2 MoE norm epsilon';
}

/** Latent attention in its new layout has one head of keys; without the key llama.cpp takes as many as there are heads, and aborts. */
function requireOneKeyHead({ keys, hparams: { nHeadKv } }: ModelShape): string | undefined {
  return keys.has('attention.key_length_mla') && nHeadKv.some((heads) => heads > 1)
    ? 'GGML_ASSERT(a->ne[0] == b->ne[0]) failed: with latent attention there is one head of keys (attention.head_count_kv)'
    : undefined;
}

/** `llama_model_qwen4exp`: where a layer looks up n-grams, what its table is like. */
function requireNgrams({ architecture, keys }: ModelShape): string | undefined {
  if (keys.list('ple.layers').length === 0) return undefined;
  const key = NGRAM_KEYS.find((one) => !keys.has(one));
  return key === undefined ? undefined : `key not found in model: ${architecture}.${key}`;
}

const NGRAM_KEYS = [
  ...['ple.ngram_size', 'ple.heads_per_ngram', 'ple.conv_kernel', 'ple.eos_token_id', 'ple.layer_multipliers'],
  ...['ple.head_offsets', 'ple.head_vocab_sizes', 'embedding_length_per_layer_input'],
];

function requiredKeys(architecture: string): readonly RequiredKey[] {
  return (REQUIRED_KEYS + KEYS_WITH_BAD_DEFAULTS)
    .trim()
    .replaceAll(/\n{2,}/g, '\n')
    .replaceAll('\n  ', ' ')
    .split('\n')
    .map((line) => line.split(': '))
    .filter(([, architectures = '']) => architectures.split(' ').includes(architecture))
    .map(([head = '']) => {
      const [key = '', type = ''] = head.split(' ');
      return { key: key.startsWith('=') ? key.slice(1) : `${architecture}.${key}`, type: TYPES[type] as KeyType };
    });
}
