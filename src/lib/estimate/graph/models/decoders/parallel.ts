import * as ggml from '../../../ggml/ops/ops.js';
import type { DecoderSpec, ParallelSpec } from './spec.js';

const fedAttendedInput: ParallelSpec = {
  sum: ({ fed, attended, input }) => ggml.add(ggml.add(fed, attended), input),
};
const fedInputAttended: ParallelSpec = {
  sum: ({ fed, attended, input }) => ggml.add(ggml.add(fed, input), attended),
};

/** Decoders whose branches read the same rows. */
export const PARALLEL_SPECS: Readonly<Record<string, DecoderSpec>> = {
  cohere2: {
    norm: 'layer',
    attention: { rotates: 'in-windows' },
    parallel: fedInputAttended,
    head: { scaled: 'if-given' },
  },
  falcon: {
    norm: 'layer',
    parallel: { ...fedAttendedInput, attentionNorm: 'attn_norm_2' },
    feedForward: { activation: 'gelu' },
  },
  plamo: { parallel: fedAttendedInput },
  phi2: {
    norm: 'layer',
    attention: { scaledQueries: true },
    parallel: { sum: ({ fed, attended, input }) => ggml.add(ggml.add(attended, fed), input) },
    feedForward: { activation: 'gelu' },
  },
  gptneox: {
    norm: 'layer',
    parallel: {
      ...fedInputAttended,
      ownNorm: true,
      when: (g) => g.shape.keys.boolean('use_parallel_residual', false),
    },
    feedForward: { activation: 'gelu' },
  },
  'command-r': {
    norm: 'layer',
    attention: { headNorms: 'before', headNormKind: 'layer' },
    parallel: fedInputAttended,
    head: { scaled: 'if-given' },
  },
  stablelm: {
    norm: 'layer',
    attention: { headNorms: 'before', headNormKind: 'layer' },
    parallel: {
      when: (g, layer) => !g.layerWeight(layer, 'ffn_norm.weight'),
      sum: ({ fed, attended, input }) => ggml.add(fed, ggml.add(attended, input)),
    },
  },
  cohere2moe: {
    norm: (g) => (g.shape.keys.real('attention.layer_norm_rms_epsilon', 0) === 0 ? 'layer' : 'rms'),
    attention: {
      rotates: (g, layer) => g.hparams.isSwa[layer] === true || layer < g.hparams.nLayerDenseLead,
    },
    feedForward: {
      experts: { gating: 'sigmoid', gatingFromHeader: true, normalise: 'header', scaled: true, halved: true },
    },
    parallel: fedInputAttended,
    outputs: 'after-norm',
    head: { scaled: 'if-given' },
  },
};
