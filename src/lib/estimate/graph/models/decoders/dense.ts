import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import type { GraphBuilder } from '../../builder.js';
import { deepstackAfterFirst } from './parts/deepstack.js';
import { softCap } from '../../graph-end.js';
import { ROTATION_PERIOD, type DecoderSpec } from './spec.js';

/** `src/models/qwen3vl.cpp`: a head for fewer tokens than the embedding knows is padded in front. */
function padVocabulary(g: GraphBuilder, logits: Tensor): Tensor {
  const missing = g.need('token_embd.weight').ne[1] - logits.ne[0];
  if (missing <= 0) return logits;
  const minusInfinity = ggml.scale(ggml.view1d(g.need('output_norm.weight'), 1, 0));
  return ggml.concat(ggml.repeat(minusInfinity, [missing, logits.ne[1], 1, 1]), logits, 0);
}

/** GPT-2's relatives: norms that subtract the mean, a GELU without a gate. */
const gpt: DecoderSpec = { norm: 'layer', feedForward: { activation: 'gelu' } };
const reluSquared: DecoderSpec = { norm: 'layer', feedForward: { activation: 'relu_sqr' } };
const headNormsFirst: DecoderSpec = { attention: { headNorms: 'before' } };
const headNormsLast: DecoderSpec = { attention: { headNorms: 'after' } };
/** Norms before and after both branches. */
const sandwich = { afterAttention: 'post_attention_norm', afterFeedForward: 'post_ffw_norm' } as const;

const gemmaNorms = { ...sandwich, unpinned: ['afterFeedForward'] } as const;
const gemma: DecoderSpec = {
  input: { scaled: 'later' },
  attention: { scaledQueries: true },
  feedForward: { activation: 'gelu' },
};

/** A stack of 32 layers is Baichuan 7B, which rotates; larger ones bias the scores by distance. */
const BAICHUAN_ROTATING_LAYERS = 32;

/** Decoders without experts whose second branch reads what the first has added. */
export const DENSE_SPECS: Readonly<Record<string, DecoderSpec>> = {
  qwen2: {},
  qwen3: headNormsFirst,
  smollm3: {
    attention: { rotates: (_, layer) => (layer + 1) % ROTATION_PERIOD !== 0 },
    kindOf: (layer) => layer % ROTATION_PERIOD,
  },
  gemma2: { ...gemma, norms: gemmaNorms, head: { adapt: (_, logits) => softCap(logits) } },
  gemma3: {
    ...gemma,
    input: { scaled: 'tokens' },
    norms: gemmaNorms,
    attention: { headNorms: 'before', scaledQueries: true },
    head: { softCap: true },
  },
  olmo2: { norms: { ...gemmaNorms, attention: null, feedForward: null }, attention: { headNorms: 'rows' } },
  qwen2vl: {},
  paddleocr: {},
  ernie4_5: {},
  internlm2: {},
  exaone: {},
  xverse: {},
  'pangu-embedded': {},
  qwen: {},
  orion: { norm: 'layer' },
  arcee: { feedForward: { activation: 'relu_sqr' } },
  apertus: { ...headNormsFirst, feedForward: { activation: 'xielu' } },
  starcoder2: gpt,
  codeshell: gpt,
  pockettts: gpt,
  nemotron: reluSquared,
  jais2: reluSquared,
  chatglm: { feedForward: { activation: 'swiglu' } },
  glm4: { norms: sandwich, feedForward: { activation: 'swiglu' } },
  seed_oss: { norms: { feedForward: 'post_attention_norm' } },
  gemma,
  maincoder: headNormsLast,
  'hunyuan-dense': headNormsLast,
  hunyuan_vl: headNormsLast,
  exaone4: {
    norms: { ...gemmaNorms, attention: null, feedForward: null },
    attention: {
      headNorms: 'before',
      rotates: (g, layer) => g.hparams.swa === 'none' || g.hparams.isSwa[layer] === true,
    },
  },
  qwen3vl: { ...headNormsFirst, ...deepstackAfterFirst, head: { adapt: padVocabulary } },
  qwen3tts: { ...headNormsFirst, ...deepstackAfterFirst, head: { adapt: padVocabulary } },
  spark2_5: { attention: { gate: 'sigmoid' }, feedForward: { activation: 'gelu' } },
  plamo3: { norms: sandwich, ...headNormsFirst, feedForward: { activation: 'swiglu' } },
  'muse-glimmer': {
    input: { norm: null },
    norms: { ...sandwich, beforePicking: true, unpinned: ['afterAttention', 'afterFeedForward'] },
    attention: { headNorms: 'before', rotates: 'in-windows', gate: 'sigmoid' },
    head: { scaled: 'always', softCap: true },
  },
  bitnet: {
    attention: { subNorm: 'attn_sub_norm' },
    feedForward: { subNorm: 'ffn_sub_norm' },
    head: { tied: true },
  },
  olmo: { norm: 'layer', bareNorms: true, attention: { clamped: true } },
  openelm: { ...headNormsFirst, middleFirst: true },
  talkie: {
    input: { norm: null },
    bareNorms: true,
    attention: { headNorms: 'after', bareKeyNorm: true },
    afterLayer: (g, cur, layer, { embeddings, pick }) =>
      ggml.add(cur, ggml.mul(pick(embeddings, layer), g.layerNeed(layer, 'layer_output_scale.weight'))),
    head: { scaled: 'always' },
  },
  gpt2: { ...gpt, input: { positions: 'learnt' }, attention: { rotates: 'never' } },
  starcoder: { ...gpt, input: { positions: 'learnt' }, attention: { rotates: 'never' } },
  mpt: {
    ...gpt,
    input: { positions: 'learnt' },
    attention: { rotates: 'never', headNorms: 'heads-as-rows', headNormKind: 'layer', clamped: true },
  },
  bloom: { ...gpt, input: { norm: 'token_embd_norm' }, attention: { rotates: 'never' } },
  jais: { norm: 'layer', attention: { rotates: 'never' } },
  refact: { attention: { rotates: 'never' } },
  baichuan: { attention: { rotates: (g) => g.hparams.nLayer === BAICHUAN_ROTATING_LAYERS } },
  cogvlm: { outputs: 'never' },
};

/** Swin-style norms stand after the branches, and the second branch reads the first's, without what that is added to. */
const swin: DecoderSpec = {
  layer: ({ pick, norm, attend, feed }, input, layer) => {
    const attended = norm(pick(attend(input, layer), layer), layer, 'attn_norm');
    const middle = ggml.add(attended, pick(input, layer));
    return ggml.add(norm(feed(attended, layer), layer, 'ffn_norm'), middle);
  },
};

/** Image tokens, which a text-only answer must not contain. */
const CHAMELEON_IMAGE_TOKENS = 8192;

export function chameleon(g: GraphBuilder): DecoderSpec {
  return {
    ...(g.shape.keys.boolean('swin_norm', false) ? swin : {}),
    attention: { headNorms: 'before', headNormKind: 'layer' },
    head: { adapt: (_, logits) => ggml.set1d(logits, ggml.clamp(ggml.newUnset(CHAMELEON_IMAGE_TOKENS))) },
  };
}
