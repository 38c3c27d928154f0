import type { ModelShape } from '../model-shape.js';
import { keysRead } from './keys-read.js';
import { refusedByLoader } from './load-error.js';

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
  ['graniteswitch', [requireAdapterTokens]],
  ['qwen4exp', [requireNgrams]],
]);

/**
 * Holds a header against the keys that its architecture's loader asks for.
 * @throws CheckIncompleteError in llama.cpp's words, where one is missing
 */
export function requireKeys(shape: ModelShape): void {
  const { architecture, keys } = shape;
  const missing = keysRead(architecture).find(({ key, isRequired }) => isRequired && !keys.metadata.has(key));
  if (missing) {
    const what = missing.isList ? 'array key' : 'key';
    throw refusedByLoader('MODEL_KEY_MISSING', `${what} not found in model: ${missing.key}`);
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

/** `llama_model_graniteswitch`: each adapter has a token that switches it on, and one that is read instead. */
function requireAdapterTokens({ keys }: ModelShape): string | undefined {
  const [activate, substitute] = ['activate', 'substitute'].map(
    (of) => keys.arrayLength(`adapters.token_ids_${of}`) ?? 0,
  );
  const adapters = keys.number('adapters.count', 0);
  if (activate === adapters && substitute === adapters) return undefined;
  return `graniteswitch: adapter token id arrays (${activate} activate, ${substitute} substitute) do not match adapter count ${adapters}`;
}

/** Latent attention in its new layout has one head of keys; without the key llama.cpp takes as many as there are heads, and aborts. */
function requireOneKeyHead({ keys, hparams: { nHeadKv } }: ModelShape): string | undefined {
  return keys.has('attention.key_length_mla') && nHeadKv.some((heads) => heads > 1)
    ? 'GGML_ASSERT(a->ne[0] == b->ne[0]) failed: with latent attention there is one head of keys (attention.head_count_kv)'
    : undefined;
}

/** `llama_model_qwen4exp`: where a layer looks up n-grams, what its table is like. */
function requireNgrams({ architecture, keys, hparams }: ModelShape): string | undefined {
  const layers = keys.list('ple.layers');
  if (layers.length === 0) return undefined;
  const beyond = layers.find((layer) => layer >= hparams.nLayerAll);
  if (beyond !== undefined) return `PLE layer ${beyond} is out of range`;
  const key = NGRAM_KEYS.find((one) => !keys.has(one));
  if (key !== undefined) return `key not found in model: ${architecture}.${key}`;
  const size = keys.number('ple.ngram_size', 0);
  const heads = (size - 1) * keys.number('ple.heads_per_ngram', 0);
  if (size < 2 || size > MAX_NGRAM) return `PLE n-gram size ${size} is out of range`;
  if (heads === 0 || heads > MAX_NGRAM_HEADS) return `PLE head count ${heads} is out of range`;
  for (const [list, least] of [
    ['ple.layer_multipliers', size],
    ['ple.head_offsets', heads],
    ['ple.head_vocab_sizes', heads],
  ] as const) {
    const entries = keys.arrayLength(list) ?? 0;
    if (entries < least) return `${architecture}.${list} has ${entries} entries, but at least ${least} are required`;
  }
  return undefined;
}

/** `LLAMA_MAX_PLE_NGRAM` and `LLAMA_MAX_PLE_HEADS` (`src/llama-hparams.h`, llama.cpp v0.5.0). */
const MAX_NGRAM = 8;
const MAX_NGRAM_HEADS = 64;
const NGRAM_KEYS = [
  ...['ple.ngram_size', 'ple.heads_per_ngram', 'ple.conv_kernel', 'ple.eos_token_id', 'ple.layer_multipliers'],
  ...['ple.head_offsets', 'ple.head_vocab_sizes', 'embedding_length_per_layer_input'],
];
