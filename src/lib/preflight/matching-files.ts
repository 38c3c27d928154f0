import { CheckIncompleteError } from '../errors.js';
import { speculationOf } from '../estimate/draft/speculation.js';
import type { ModelShape, ProjectorShape } from '../model/model-shape.js';
import { projectorWidth } from '../model/projector/projector-width.js';
import type { LaunchOptions } from '../runtime/launch-options.js';

/** `SPEC_VOCAB_MAX_SIZE_DIFFERENCE` (`common/speculative.cpp`, llama.cpp v0.5.0). */
const MOST_TOKENS_APART = 128;

/**
 * The constructor of `mtmd_context` (`tools/mtmd/mtmd.cpp`, llama.cpp v0.5.0): a projector makes embeddings as wide as the
 * model reads them.
 * @throws CheckIncompleteError PROJECTOR_MISMATCH, in llama-server's words
 */
export function requireMatchingProjector({ hparams }: ModelShape, projector: ProjectorShape): void {
  const read = hparams.nEmbd * (1 + hparams.nDeepstackLayers);
  const made = projectorWidth(projector);
  if (made === undefined || made === read) return;
  throw new CheckIncompleteError(
    'PROJECTOR_MISMATCH',
    `llama-server would stop with "mismatch between text model (n_embd = ${read}) and mmproj (n_embd = ${made})"; name the projector of this very model with --mmproj, or say --no-mmproj`,
  );
}

/**
 * `common_speculative_are_compatible` (`common/speculative.cpp`, llama.cpp v0.5.0), as far as headers say it: the tokens
 * themselves are not compared.
 * @throws CheckIncompleteError DRAFT_MISMATCH, in llama-server's words
 */
export function requireMatchingDraft(model: ModelShape, draft: ModelShape, launch: LaunchOptions): void {
  if (!speculationOf(launch, draft).types.includes('draft-simple')) return;
  const difference = vocabularyDifference(model, draft);
  if (difference === undefined) return;
  throw new CheckIncompleteError(
    'DRAFT_MISMATCH',
    `llama-server would stop with "the target and draft vocabs are not compatible": ${difference}; name a smaller model of the same family as the draft`,
  );
}

function vocabularyDifference(model: ModelShape, draft: ModelShape): string | undefined {
  const [type, draftType] = [model, draft].map(vocabularyType);
  if (type !== undefined && draftType !== undefined && type !== draftType)
    return `the model's tokenizer is ${type}, the draft's ${draftType}`;
  for (const end of ['bos', 'eos'] as const) {
    const [ours, theirs] = [model, draft].map((one) => addedToken(one, end));
    if (ours !== undefined && theirs !== undefined && ours !== theirs)
      return `the model's ${end} token is ${ours}, the draft's ${theirs}`;
  }
  const [ours, theirs] = [model.hparams.nVocab, draft.hparams.nVocab];
  return Math.abs(ours - theirs) > MOST_TOKENS_APART
    ? `the model knows ${ours} tokens, the draft ${theirs}, and at most ${MOST_TOKENS_APART} may differ`
    : undefined;
}

/** `llama_vocab::impl::load` (`src/llama-vocab.cpp`): several names mean one type. */
const VOCABULARY_TYPES: Readonly<Record<string, string>> = {
  no_vocab: 'none',
  hybriddna: 'gpt2',
  whitespace: 'gpt2',
  gemma4: 'gpt2',
};

function vocabularyType({ keys }: ModelShape): string | undefined {
  const name = keys.text('tokenizer.ggml.model');
  return name === undefined ? undefined : (VOCABULARY_TYPES[name] ?? name);
}

/** The token that is put at an end, "none" where none is; undefined where only the tokenizer's kind would say. */
function addedToken({ keys }: ModelShape, end: 'bos' | 'eos'): string | undefined {
  const isAdded = keys.raw(`tokenizer.ggml.add_${end}_token`);
  if (isAdded === undefined) return undefined;
  if (isAdded !== true) return 'none';
  return keys.has(`tokenizer.ggml.${end}_token_id`) ? String(keys.raw(`tokenizer.ggml.${end}_token_id`)) : undefined;
}
