import { CheckIncompleteError } from '../../errors.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { Speculation, SpecType } from './speculation.js';

/** `SPEC_VOCAB_MAX_SIZE_DIFFERENCE` (`common/speculative.cpp`, llama.cpp v0.5.0). */
const MOST_TOKENS_APART = 128;
/** Architectures whose layers that predict ahead have a graph (`LLM_GRAPH_TYPE_DECODER_MTP` in `src/models/*.cpp`), up to b12032. */
const RUN_AHEAD: ReadonlySet<string> = new Set(
  `bailingmoe3 cohere2moe deepseek2 deepseek32 deepseek4 deepseek41 glm-dsa glm4moe glm5-next hy_v3 mellum mimo2 nemotron_h_moe
  qwen35 qwen35moe qwen3next qwen4exp step35`.split(/\s+/),
);
/** Of how many tokens samplers in a draft's graph choose; the rows that they are kept in are as long as the draft's vocabulary. */
const TOKENS_SAMPLED = 10;
/** Layers of the model that an EAGLE3 draft reads. */
const EAGLE3_LAYERS = 3;

/**
 * Why llama-server answers without the draft that it loaded, undefined where it uses it: what the constructors of
 * `common_speculative_impl_*` (`common/speculative.cpp`, llama.cpp v0.5.0) throw, which `load_model` only reports. The vocabularies'
 * tokens themselves are not compared, since headers are read without them.
 * @throws CheckIncompleteError DRAFT_MISMATCH where it stops instead
 */
export function unusableDraft(
  model: ModelShape,
  draft: ModelShape | undefined,
  { types, sampled }: Speculation,
): string | undefined {
  if (types.includes('draft-mtp')) requireHead(model, draft);
  if (types.includes('draft-simple')) {
    if (draft === undefined) return 'draft-simple requires a draft context';
    const difference = vocabularyDifference(model, draft);
    if (difference !== undefined) return `the target and draft vocabs are not compatible (${difference})`;
  }
  if (draft === undefined)
    return types.length > 0 && types.every(readsLayers) ? 'no draft was named or found' : undefined;
  const isBlocks = types.some((type) => type === 'draft-dflash' || type === 'draft-dspark');
  if (!types.includes('draft-eagle3') && !isBlocks) return undefined;
  const layers = draft.keys.indices('target_layers') ?? [];
  if (isBlocks && layers.length === 0) throw stops('the draft reads no layers of the model, so it is no DFlash');
  if (!isBlocks && layers.length !== EAGLE3_LAYERS)
    return `draft model is not eagle3 (expected ${EAGLE3_LAYERS} extract layers, got ${layers.length})`;
  requireLayers(model, draft, layers);
  if (sampled && draft.hparams.nVocab < TOKENS_SAMPLED)
    throw stops(`the draft knows ${draft.hparams.nVocab} tokens, and ${TOKENS_SAMPLED} are kept of each choice`);
  return undefined;
}

/** Left out without an error where there is no draft: `common_speculative_init`. */
function readsLayers(type: SpecType): boolean {
  return type === 'draft-eagle3' || type === 'draft-dflash' || type === 'draft-dspark';
}

/** `llama_init_from_model` (`src/llama-context.cpp`), and what `common_speculative_impl_draft_mtp` asserts. */
function requireHead(model: ModelShape, draft: ModelShape | undefined): void {
  const { architecture, hparams } = draft ?? model;
  const { nLayer, nLayerNextn, nEmbdOut } = hparams;
  const whose = draft === undefined ? 'the model' : 'the draft';
  if (nLayerNextn === 0) throw stops(`${whose} has no layers that predict ahead, and --spec-type draft-mtp needs some`);
  if (nLayer > 0 && !RUN_AHEAD.has(architecture))
    throw stops(`${whose} has layers that predict ahead, and llama.cpp has no graph for those of ${architecture}`);
  if (nEmbdOut === model.hparams.nEmbdOut) return;
  throw stops(`the draft gives embeddings of ${nEmbdOut} numbers, the model of ${model.hparams.nEmbdOut}`);
}

/** Drafts whose graphs take rows of the model's weights or attend to what it has cached. */
const TAKE_FROM_MODEL: ReadonlySet<string> = new Set(['gemma4-assistant', 'eagle3', 'dflash']);

/**
 * Plans a draft's graphs, in which ggml may find that it does not go with the model.
 * @throws CheckIncompleteError DRAFT_MISMATCH where llama-server aborts
 */
export function besideModel<T>(draft: ModelShape | undefined, plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    const isMisfit = error instanceof CheckIncompleteError && error.code === 'MODEL_GRAPH_INVALID';
    if (!isMisfit || draft === undefined || !TAKE_FROM_MODEL.has(draft.architecture)) throw error;
    throw stops(`the ${draft.architecture} draft takes what the model has computed, and that is of other sizes`);
  }
}

function requireLayers({ hparams }: ModelShape, { tensors }: ModelShape, layers: readonly number[]): void {
  const beyond = layers.find((layer) => layer > hparams.nLayer);
  if (beyond !== undefined) throw stops(`the draft reads layer ${beyond}, and the model has ${hparams.nLayer}`);
  const width = tensors.get('fc.weight')?.dims[0];
  if (width === undefined || width === layers.length * hparams.nEmbd) return;
  throw stops(
    `the draft was made for a model whose layers give ${width / layers.length} numbers, and these give ${hparams.nEmbd}`,
  );
}

function stops(reason: string): CheckIncompleteError {
  return new CheckIncompleteError(
    'DRAFT_MISMATCH',
    `llama-server would stop: ${reason}; name a draft that was made for this model, or --spec-type none`,
  );
}

/** `common_speculative_are_compatible`, as far as headers say it. */
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
