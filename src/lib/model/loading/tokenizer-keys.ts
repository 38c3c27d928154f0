import type { Keys } from '../keys.js';
import { KEY_TYPES, type KeyType } from './key-types.js';

/** None, words that pairs are merged to, or whole ones. */
export type Vocabulary = 'none' | 'pairs' | 'whole';

interface TokenizerKeys {
  /** Without `tokenizer.ggml.`. */
  readonly keys: readonly string[];
  /** What they are written as: one type for a single value, those of its elements for an array. */
  readonly types: readonly string[];
  /** Which vocabularies have them read. */
  readonly of: (kind: Vocabulary, model: string | undefined) => boolean;
}

const any = (): boolean => true;
const hasWords = (kind: Vocabulary): boolean => kind !== 'none';

const TOKENS = [
  ...['bos', 'eos', 'eot', 'eom', 'unknown', 'seperator', 'padding', 'mask', 'prefix', 'suffix', 'middle'],
  ...['fim_pre', 'fim_suf', 'fim_mid', 'fim_pad', 'fim_rep', 'fim_sep'],
];
const SWITCHES = [
  ...['add_bos_token', 'add_eos_token', 'add_sep_token', 'add_space_prefix', 'remove_extra_whitespaces'],
  ...['normalizer.lowercase', 'normalizer.strip_accents', 'normalizer.nfc', 'clean_spaces', 'dna_auto_tags'],
];

/** What `llama_vocab::impl::load` (`src/llama-vocab.cpp`, llama.cpp v0.5.0 or b12032) reads, each where it is there. */
const TOKENIZER_KEYS: readonly TokenizerKeys[] = [
  { keys: ['model', 'pre'], types: ['str'], of: any },
  { keys: ['token_type_count'], types: ['u32'], of: any },
  { keys: ['merges'], types: ['[str]'], of: (kind) => kind === 'pairs' },
  { keys: ['precompiled_charsmap'], types: ['[i8]', '[u8]'], of: (_, model) => model === 't5' },
  { keys: ['tokens'], types: ['[str]'], of: hasWords },
  { keys: ['scores'], types: ['[f32]', '[i32]'], of: hasWords },
  { keys: ['token_type', 'suppress_tokens'], types: ['[i32]'], of: hasWords },
  { keys: TOKENS.map((name) => `${name}_token_id`), types: ['u32'], of: hasWords },
  { keys: SWITCHES, types: ['bool'], of: hasWords },
  { keys: ['metaspace.prepend_scheme'], types: ['str'], of: hasWords },
];

/** Why llama.cpp gives up on a key of a tokenizer, in its words; undefined where all are as it reads them. */
export function wrongTokenizerKey(
  { metadata, types, architecture }: Keys,
  kind: Vocabulary,
  model: string | undefined,
): string | undefined {
  const reasonOf = (key: string, wanted: readonly string[]): string | undefined => {
    const value = metadata.get(key);
    const type = types?.get(key);
    if (value === undefined) return undefined;
    const single = KEY_TYPES[wanted[0] ?? ''] as KeyType | undefined;
    if (wanted[0]?.startsWith('[') !== true)
      return single?.({ key, value, type, isRequired: false, layers: undefined });
    const isTaken = type === undefined ? typeof value === 'object' : wanted.includes(type);
    return isTaken ? undefined : `invalid gguf type for ${key}`;
  };
  for (const { keys, types: wanted, of } of TOKENIZER_KEYS) {
    if (!of(kind, model)) continue;
    for (const key of keys) {
      const reason = reasonOf(`tokenizer.ggml.${key}`, wanted);
      if (reason !== undefined) return reason;
    }
  }
  // Without words their number is taken from here.
  return kind === 'none' ? reasonOf(`${architecture}.vocab_size`, ['u32']) : undefined;
}
