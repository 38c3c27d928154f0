import type { CheckIncompleteError } from '../../errors.js';
import { printable } from '../../printable.js';
import type { Keys } from '../keys.js';
import type { FirstBuild } from './known-architectures.js';
import { refusedByLoader } from './load-error.js';
import { wrongTokenizerKey, type Vocabulary } from './tokenizer-keys.js';

/** `tokenizer.ggml.model` of what `llama_vocab::impl::load` (`src/llama-vocab.cpp`, b12032) reads, and whether it is made of merged pairs. */
const VOCABULARIES: ReadonlyMap<string, Vocabulary> = new Map<string, Vocabulary>([
  ['no_vocab', 'none'],
  ['none', 'none'],
  ['gpt2', 'pairs'],
  ['hybriddna', 'pairs'],
  ['whitespace', 'pairs'],
  ['gemma4', 'pairs'],
  ['bert', 'whole'],
  ['llama', 'whole'],
  ['plamo2', 'whole'],
  ['plamo3', 'whole'],
  ['rwkv', 'whole'],
  ['t5', 'whole'],
  ['test', 'whole'],
]);

/** `tokenizer.ggml.pre`: how text is cut before pairs are merged (the same function). */
const PRE_TOKENIZERS: ReadonlySet<string> = new Set(
  `a.x-4.0 afmoe bailingmoe bailingmoe2 bloom chameleon chatglm-bpe codeshell cohere2moe command-r dbrx
  deepseek-coder deepseek-llm deepseek-r1-qwen deepseek-v3 default domyn-small exaone exaone-moe exaone4 f2llmv2 falcon
  falcon-h1 falcon3 flint gemma4 gigachat glm4 glm5 gpt-2 gpt-4o gpt3-finnish granite-docling granite-embed-multi-311m
  granite-embed-multi-97m grok-2 hunyuan hunyuan-dense hy_v4 jais jais-2 jina-de jina-es jina-v1-en jina-v2-code
  jina-v2-de jina-v2-es jina-v5-nano joyai-llm k2-horizon kanana2 kimi-k2 kormo laguna lfm2 llada-moe llama-bpe llama-v3
  llama3 llama4 megrez mellum mellum2 midm-2.0 minerva-7b minicpm5 minimax-m2 mmbert modern-bert mpt nemotron-3.5-embed
  olmo phi-2 pixtral poro-chat qwen2 qwen35 refact roberta-bpe sarvam-moe seed-coder smaug-bpe smollm solar-open soprano
  spark2_5 stablelm2 starcoder superbpe talkie tekken tekken-num3 tiny_aya trillion ufakzeka viking whitespace
  youtu`.split(/\s+/),
);
const NO_MERGES_NEEDED = 'kimi-k2';
const NO_MODEL = 'key not found in model: tokenizer.ggml.model';
/** What `tokenizer.ggml.precompiled_charsmap` begins with: the size of the first of its two parts. */
const SIZE_BYTES = 4;

/** What v0.5.0 does not read and v0.8.0 does. */
const SINCE_V0_8_0: FirstBuild = { notIn: 11222, in: 'v0.8.0' };
const NEWER: ReadonlySet<string> = new Set(
  'plamo3 domyn-small flint glm5 k2-horizon mmbert nemotron-3.5-embed soprano tekken-num3'.split(' '),
);

/** What a description of a header keeps of its vocabulary; a file that has more than that was converted with one. */
const KEPT_IN_PROFILES: ReadonlySet<string> = new Set(['tokenizer.ggml.tokens', 'tokenizer.ggml.token_type_count']);

/** Whether nothing at all says which vocabulary a model has: no converted file is like that, but a profile of one is. */
export function lacksVocabulary({ metadata }: Keys): boolean {
  return ![...metadata.keys()].some((key) => key.startsWith('tokenizer.') && !KEPT_IN_PROFILES.has(key));
}

/** What llama.cpp says of such a file. */
export function withoutVocabulary(): CheckIncompleteError {
  return refusedByLoader('MODEL_TOKENIZER_INVALID', NO_MODEL);
}

/** Whether its words are left out on purpose, so that their number stands elsewhere. */
export function hasNoWords(keys: Keys): boolean {
  return VOCABULARIES.get(keys.text('tokenizer.ggml.model') ?? '') === 'none';
}

/**
 * Holds a header's vocabulary against what llama.cpp loads; nothing where it has none.
 * @throws CheckIncompleteError in llama.cpp's words
 */
export function requireVocabulary(keys: Keys): void {
  if (lacksVocabulary(keys)) return;
  const reason = unloadable(keys);
  if (reason !== undefined) throw refusedByLoader('MODEL_TOKENIZER_INVALID', reason);
}

function unloadable(keys: Keys): string | undefined {
  const model = keys.text('tokenizer.ggml.model');
  const kind = VOCABULARIES.get(model ?? '');
  if (model !== undefined && kind === undefined) return `unknown tokenizer: '${printable(model)}'`;
  const reason = wrongTokenizerKey(keys, kind ?? 'none', model);
  if (reason !== undefined || kind === 'none') return reason;
  if (model === undefined) return NO_MODEL;
  if (kind === 'pairs') {
    const pre = preTokenizer(keys, model);
    if (!keys.has('tokenizer.ggml.merges') && pre !== NO_MERGES_NEEDED)
      return 'cannot find tokenizer merges in model file';
    if (!PRE_TOKENIZERS.has(pre)) return `unknown pre-tokenizer type: '${printable(pre)}'`;
  }
  const replacements = model === 't5' ? keys.arrayLength('tokenizer.ggml.precompiled_charsmap') : undefined;
  if (replacements !== undefined && replacements <= SIZE_BYTES)
    return 'Index out of array bounds in precompiled charsmap!';
  const tokens = keys.arrayLength('tokenizer.ggml.tokens');
  if (tokens === undefined) return 'cannot find tokenizer vocab in model file';
  return tooShort(keys, 'scores', 'scores', tokens) ?? tooShort(keys, 'token_type', 'toktypes', tokens);
}

/** The default where there is none. */
function preTokenizer(keys: Keys, model: string): string {
  return model === 'gemma4' ? model : keys.text('tokenizer.ggml.pre') || 'default';
}

function tooShort(keys: Keys, key: string, called: string, tokens: number): string | undefined {
  const length = keys.arrayLength(`tokenizer.ggml.${key}`);
  if (length === undefined || length >= tokens) return undefined;
  return `Index out of array bounds for ${called} (${length} < ${tokens})`;
}

/** A vocabulary that an older llama.cpp does not read, by name, and since when. */
export function newerVocabulary(keys: Keys): { readonly name: string; readonly since: FirstBuild } | undefined {
  const model = keys.text('tokenizer.ggml.model');
  const names = [model, VOCABULARIES.get(model ?? '') === 'pairs' ? preTokenizer(keys, String(model)) : undefined];
  const name = names.find((one) => one !== undefined && NEWER.has(one));
  return name === undefined ? undefined : { name, since: SINCE_V0_8_0 };
}
