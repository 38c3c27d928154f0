import { table } from '../../table.js';
import type { TensorClass } from './tensor-class.js';

/** Where a tensor stands among those of its class, and what about its model decides over its type. */
export interface Position {
  /** How many of its class come before it. */
  readonly order: number;
  /** Its block where the model has experts, which may have several tensors of a class; else its order. */
  readonly layer: number;
  /** Tensors of its class; of the feed-forward's classes, blocks. */
  readonly count: number;
  /** Query heads that share a KV head. */
  readonly gqa: number;
  readonly experts: number;
}

type TypeChoice = (position: Position) => string;

/** The type of each class of tensors; what is not named gets `base`. */
export interface Recipe extends Partial<Readonly<Record<TensorClass, TypeChoice>>> {
  readonly base: string;
  /** Mixed by rules of their own, which know neither 70B models nor Q8_0 for 8 experts. */
  readonly isTiny?: boolean;
  /** Seldom published: tables show it, advice does not propose it. */
  readonly isRare?: boolean;
  /** Worth something only for weights that were trained to it: worked out where it is named, and shown nowhere else. */
  readonly isTrained?: boolean;
}

const always =
  (type: string): TypeChoice =>
  () =>
    type;
const firstOf = (many: (count: number) => number, type: string, rest: string): TypeChoice => {
  return ({ layer, count }) => (layer < many(count) ? type : rest);
};
/** `use_more_bits`. */
const moreBits = (type: string, rest: string): TypeChoice => {
  return ({ layer, count }) => (isWithMoreBits(layer, count) ? type : rest);
};
const grouped = (type: string, rest: string): TypeChoice => {
  return ({ gqa }) => (gqa >= 4 ? type : rest);
};
const withEightExperts = (type: string, rest: string): TypeChoice => {
  return ({ experts }) => (experts === 8 ? type : rest);
};
const eighth = (count: number): number => Math.floor(count / 8);
const sixteenth = (count: number): number => Math.floor(count / 16);

function isWithMoreBits(layer: number, count: number): boolean {
  const first = eighth(count);
  return layer < first || layer >= Math.floor((7 * count) / 8) || (layer - first) % 3 === 2;
}

/** All but the first and the last eighth of the blocks. */
const middle = (type: string, rest: string): TypeChoice => {
  return ({ layer, count }) => (layer >= eighth(count) && layer < Math.floor((7 * count) / 8) ? type : rest);
};

/** Below 3 bits, all by one branch: `more` is what the tensors that matter most get instead of `base`. */
const tiny = (base: string, more: string, attention: string, embedding: string): Recipe => ({
  base,
  output: always('Q5_K'),
  embedding: always(embedding),
  value: ({ gqa, experts }) => (gqa >= 4 || experts >= 4 ? 'Q4_K' : more),
  key: withEightExperts('Q4_K', base),
  attention: withEightExperts('Q5_K', attention),
  down: ({ order, count }) => (order < eighth(count) ? more : base),
  isTiny: true,
  isRare: true,
});

/**
 * `llama_tensor_get_type_impl` in `src/llama-quant.cpp` of llama.cpp v0.5.0, largest first. With an importance matrix where
 * llama-quantize asks for one (IQ1, IQ2, IQ3_XXS, IQ3_XS, Q2_K_S); elsewhere whichever is larger: IQ4_NL and IQ4_XS without,
 * Q4_0 and Q5_0 with one.
 */
export const RECIPES = table<Recipe>({
  Q8_0: { base: 'Q8_0', output: always('Q8_0') },
  Q6_K: { base: 'Q6_K' },
  Q5_1: { base: 'Q5_1', isRare: true },
  Q5_K_M: {
    base: 'Q5_K',
    value: moreBits('Q6_K', 'Q5_K'),
    down: moreBits('Q6_K', 'Q5_K'),
    fused: always('Q6_K'),
  },
  Q5_K_S: { base: 'Q5_K' },
  Q5_0: { base: 'Q5_0', down: firstOf(eighth, 'Q5_1', 'Q5_0'), isRare: true },
  Q4_1: { base: 'Q4_1', isRare: true },
  Q4_K_M: {
    base: 'Q4_K',
    value: moreBits('Q6_K', 'Q4_K'),
    down: moreBits('Q6_K', 'Q4_K'),
    fused: always('Q5_K'),
  },
  Q4_K_S: { base: 'Q4_K', value: firstOf(() => 4, 'Q5_K', 'Q4_K'), down: firstOf(eighth, 'Q5_K', 'Q4_K') },
  Q4_0: { base: 'Q4_0', down: firstOf(eighth, 'Q4_1', 'Q4_0'), isRare: true },
  IQ4_NL: {
    base: 'IQ4_NL',
    value: grouped('Q5_K', 'IQ4_NL'),
    down: firstOf(eighth, 'Q5_K', 'IQ4_NL'),
    isRare: true,
  },
  IQ4_XS: { base: 'IQ4_XS', value: grouped('Q5_K', 'IQ4_XS'), down: firstOf(eighth, 'Q5_K', 'IQ4_XS') },
  Q3_K_L: {
    base: 'Q3_K',
    value: always('Q5_K'),
    down: always('Q5_K'),
    attention: always('Q5_K'),
    fused: always('Q4_K'),
  },
  Q3_K_M: {
    base: 'Q3_K',
    value: firstOf(() => 2, 'Q5_K', 'Q4_K'),
    down: firstOf(sixteenth, 'Q5_K', 'Q4_K'),
    attention: always('Q4_K'),
    fused: always('Q4_K'),
  },
  IQ3_M: {
    base: 'IQ3_S',
    value: always('Q4_K'),
    down: ({ layer, count, experts }) =>
      layer < eighth(count) || (experts === 8 && isWithMoreBits(layer, count)) ? 'Q4_K' : 'IQ3_S',
    attention: always('Q4_K'),
    fused: always('Q4_K'),
    isRare: true,
  },
  IQ3_S: { base: 'IQ3_S', value: grouped('Q4_K', 'IQ3_S'), isRare: true },
  Q3_K_S: { base: 'Q3_K' },
  IQ3_XS: {
    base: 'IQ3_S',
    value: grouped('Q4_K', 'IQ3_S'),
    key: always('IQ3_XXS'),
    query: always('IQ3_XXS'),
    gate: middle('IQ3_XXS', 'IQ3_S'),
    up: middle('IQ3_XXS', 'IQ3_S'),
    isRare: true,
  },
  IQ3_XXS: {
    base: 'IQ3_XXS',
    output: always('Q5_K'),
    embedding: always('IQ3_S'),
    value: grouped('Q4_K', 'IQ3_XXS'),
    key: always('IQ2_S'),
    query: always('IQ2_S'),
    attention: always('IQ3_S'),
    isRare: true,
  },
  Q2_K: {
    base: 'Q2_K',
    value: grouped('Q4_K', 'Q3_K'),
    down: always('Q3_K'),
    attention: always('Q3_K'),
  },
  Q2_K_S: { base: 'Q2_K', value: grouped('Q4_K', 'Q2_K'), down: firstOf(eighth, 'Q4_K', 'Q2_K'), isRare: true },
  IQ2_M: tiny('IQ2_S', 'IQ3_S', 'IQ3_S', 'IQ3_S'),
  IQ2_S: tiny('IQ2_XS', 'IQ3_S', 'IQ3_S', 'IQ3_S'),
  IQ2_XS: tiny('IQ2_XS', 'Q2_K', 'IQ2_XS', 'Q2_K'),
  IQ2_XXS: tiny('IQ2_XXS', 'Q2_K', 'IQ2_XXS', 'Q2_K'),
  TQ2_0: { base: 'TQ2_0', embedding: always('Q4_K'), isTrained: true },
  IQ1_M: tiny('IQ1_M', 'Q2_K', 'IQ2_XXS', 'Q2_K'),
  TQ1_0: { base: 'TQ1_0', embedding: always('Q4_K'), isTrained: true },
  IQ1_S: tiny('IQ1_S', 'Q2_K', 'IQ2_XXS', 'Q2_K'),
});

/** What is mixed differently for the architecture `falcon`; all its outputs are Q8_0. */
export const FALCON_RECIPES = table<Omit<Recipe, 'base'>>({
  Q4_K_M: {
    down: (position) => (position.layer < sixteenth(position.count) ? 'Q6_K' : moreBits('Q5_K', 'Q4_K')(position)),
  },
  Q4_K_S: { down: always('Q4_K') },
  Q3_K_L: { down: always('Q4_K'), attention: always('Q4_K') },
  Q3_K_M: {
    down: (position) => (position.layer < sixteenth(position.count) ? 'Q5_K' : moreBits('Q4_K', 'Q3_K')(position)),
    attention: always('Q3_K'),
  },
  IQ3_M: { attention: always('IQ3_S') },
  IQ3_XXS: { attention: always('IQ3_XXS') },
  Q2_K: { attention: always('Q2_K') },
});

/** Quantizations that a header can be worked out for, largest first. */
export const RECIPE_NAMES: readonly string[] = Object.keys(RECIPES);

/** Publishers usually offer it. */
export function isOffered(name: string): boolean {
  const { isRare = false, isTrained = false } = RECIPES[name] ?? {};
  return !isRare && !isTrained;
}

/** With exactly 8 experts, the attention output of these gets more bits. */
export const MORE_FOR_EIGHT_EXPERTS: ReadonlySet<string> = new Set([
  'Q2_K',
  'IQ3_XS',
  'IQ3_XXS',
  'IQ3_S',
  'IQ3_M',
  'Q3_K_S',
  'Q3_K_M',
  'Q4_K_S',
  'Q4_K_M',
  'IQ4_NL',
  'IQ4_XS',
]);

/** What a type becomes where a row does not end with its block: `tensor_type_fallback`. */
export const FALLBACKS: Readonly<Record<string, string>> = {
  IQ1_S: 'IQ4_NL',
  IQ1_M: 'IQ4_NL',
  IQ2_XXS: 'IQ4_NL',
  IQ2_XS: 'IQ4_NL',
  IQ2_S: 'IQ4_NL',
  IQ3_XXS: 'IQ4_NL',
  IQ3_S: 'IQ4_NL',
  IQ4_XS: 'IQ4_NL',
  TQ1_0: 'Q4_0',
  TQ2_0: 'Q4_0',
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};
