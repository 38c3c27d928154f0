import { deepstackAfterFirst } from './parts/deepstack.js';
import { ROTATION_PERIOD, type DecoderSpec, type ExpertsSpec } from './spec.js';

const softmax: ExpertsSpec = {};
/** What DeepSeek's relatives read from the header. */
const routedByHeader: ExpertsSpec = { gatingFromHeader: true, normalise: 'header', scaled: true };
const sigmoidByHeader: ExpertsSpec = { ...routedByHeader, gating: 'sigmoid' };

const phi: DecoderSpec = {
  attention: { scaledQueries: true },
  feedForward: { activation: 'swiglu', experts: softmax },
  residualFirst: true,
};

/** Decoders with experts in some or all layers. */
export const EXPERTS_SPECS: Readonly<Record<string, DecoderSpec>> = {
  llama: { feedForward: { experts: softmax } },
  qwen3moe: { attention: { headNorms: 'before' }, feedForward: { experts: softmax } },
  phi3: phi,
  'gpt-oss': {
    norms: { feedForward: 'post_attention_norm' },
    feedForward: { experts: { activation: 'swiglu_oai', gating: 'softmax_weight', normalise: false } },
    outputs: 'after-layers',
  },
  glm4moe: {
    norms: { feedForward: 'post_attention_norm' },
    attention: { headNorms: 'before' },
    feedForward: { experts: sigmoidByHeader },
    keepsForDraft: 'after-norm',
  },
  'minimax-m2': {
    attention: { headNorms: 'rows' },
    feedForward: { experts: { gating: 'sigmoid', gatingFromHeader: true } },
  },
  mistral3: { attention: { temperature: true }, feedForward: { experts: softmax } },
  phimoe: phi,
  'ernie4_5-moe': { feedForward: { experts: softmax } },
  bailingmoe: { feedForward: { experts: { normalise: 'header', scaled: true } } },
  bailingmoe2: { attention: { headNorms: 'before' }, feedForward: { experts: routedByHeader } },
  dots1: { attention: { headNorms: 'before' }, feedForward: { experts: routedByHeader } },
  'deepseek2-ocr': { feedForward: { experts: routedByHeader } },
  deepseek: { feedForward: { experts: { normalise: false, scaled: true } } },
  'hunyuan-moe': { attention: { headNorms: 'after' }, feedForward: { experts: softmax } },
  qwen2moe: { feedForward: { experts: { normalise: false, sharedGate: 'silu-ratio' } } },
  olmoe: { attention: { headNorms: 'rows' }, feedForward: { experts: { normalise: false } } },
  'exaone-moe': {
    attention: { headNorms: 'before', rotates: 'in-windows' },
    feedForward: { experts: routedByHeader },
  },
  qwen3vlmoe: { attention: { headNorms: 'before' }, feedForward: { experts: softmax }, ...deepstackAfterFirst },
  mellum: { attention: { headNorms: 'before' }, feedForward: { experts: softmax } },
  maple: { attention: { headNorms: 'before', rotates: 'in-windows' }, feedForward: { experts: { clamped: 'fused' } } },
  mimo2: {
    attention: {
      scaledOutput: (g) => ![0, 1].includes(g.shape.keys.real('attention.value_scale', 0)),
    },
    feedForward: { experts: { gating: 'sigmoid' } },
    keepsForDraft: 'after-layers',
  },
  laguna: {
    attention: { headNorms: 'before', gate: 'softplus' },
    feedForward: { experts: sigmoidByHeader },
  },
  step35: {
    attention: { headNorms: 'before', gate: 'sigmoid', factorsOfFullLayersOnly: true },
    feedForward: { experts: { ...sigmoidByHeader, clamped: 'apart' } },
    kindOf: (layer, { hparams, keys }) =>
      ['swiglu_clamp_exp', 'swiglu_clamp_shexp'].reduce(
        (kind, key) => 2 * kind + Number(keys.realPerLayer(key, hparams.nLayerAll, 0)[layer] !== 0),
        0,
      ),
    outputs: 'after-layers',
  },
  hy_v3: {
    attention: { headNorms: 'before' },
    feedForward: { experts: sigmoidByHeader },
    outputs: 'after-norm',
  },
  afmoe: {
    input: { scaled: 'later' },
    norms: { afterAttention: 'post_attention_norm', beforePicking: true, afterFeedForward: 'post_ffw_norm' },
    attention: { headNorms: 'before', gate: 'sigmoid', rotates: (_, layer) => (layer + 1) % ROTATION_PERIOD !== 0 },
    kindOf: (layer) => layer % ROTATION_PERIOD,
    feedForward: { experts: sigmoidByHeader },
  },
  grovemoe: { attention: { headNorms: 'before' }, feedForward: { experts: { chooseBySigmoid: true, adjugate: true } } },
  smallthinker: {
    attention: { rotates: (g, layer) => g.hparams.swa === 'none' || layer % ROTATION_PERIOD !== 0 },
    feedForward: { experts: { activation: 'relu', gatingFromHeader: true, routesByInput: true } },
    kindOf: (layer) => layer % ROTATION_PERIOD,
  },
  dbrx: {
    norm: 'layer',
    norms: { feedForward: 'attn_output_norm' },
    attention: { clamped: true },
    feedForward: { experts: softmax },
  },
};
