import {
  all,
  type ArchitectureRule,
  linearAttention,
  mainLayersOnly,
  multiSectionRope,
  optionalWindow,
  recurrentWhere,
  slideEvery,
  slidingWindow,
  withoutKvHeads,
} from './architecture-rule.js';
import type { Hparams } from './hparams.js';
import type { Keys } from './keys.js';
import { checkSharedCaches } from './loading/count-limits.js';
import { table } from '../table.js';
import { DECODER_RULES } from './rules/decoders.js';
import { DRAFT_RULES } from './rules/drafts.js';
import { ENCODER_RULES } from './rules/encoders.js';
import { LATENT_RULES, latentAttention } from './rules/latent.js';
import { RECURRENT_RULES } from './rules/recurrent.js';
import { SPARSE_RULES } from './rules/sparse.js';

const withoutFeedForward: ArchitectureRule['hybrid'] = {
  attention: ({ isRecurrent, nFf }, layer) => !isRecurrent[layer] && nFf[layer] === 0,
  recurrent: ({ isRecurrent, nFf }, layer) => isRecurrent[layer] === true && nFf[layer] === 0,
};

function llama4(hparams: Hparams, keys: Keys): void {
  if (keys.has('attention.sliding_window') && keys.number('attention.sliding_window', 0) === 0) return;
  hparams.swa = 'chunked';
  hparams.nSwa = 8192;
  slideEvery(hparams, keys, 4);
}

function gemma4(hparams: Hparams, keys: Keys): void {
  slidingWindow(1)(hparams, keys);
  const shared = keys.number('attention.shared_kv_layers', 0);
  checkSharedCaches(hparams.nLayerAll, shared);
  hparams.nLayerKvFromStart = hparams.nLayerAll - shared;
}

function lfm2(hparams: Hparams, keys: Keys): void {
  withoutKvHeads(hparams);
  if (keys.number('attention.sliding_window', 0) > 0) {
    hparams.swa = 'standard';
    hparams.nSwa = keys.number('attention.sliding_window', 0);
    hparams.isSwa = hparams.isRecurrent.map((recurrent, layer) => layer < hparams.nLayer && !recurrent);
  }
}

const plain: ArchitectureRule = { memory: 'attention' };

export const ARCHITECTURE_RULES = table<ArchitectureRule>({
  llama: plain,
  qwen2: plain,
  qwen3: plain,
  qwen3moe: plain,
  smollm3: plain,
  phi3: plain,
  'minimax-m2': plain,
  glm4moe: {
    memory: 'attention',
    adjust: (hparams, keys) => {
      if (keys.flagEach('rope.dimension_sections', 2)?.every(Boolean)) multiSectionRope(hparams);
    },
  },
  gemma2: {
    memory: 'attention',
    adjust: all(slidingWindow(2, 4096), (hparams) => {
      hparams.attnSoftCap = true;
    }),
  },
  gemma3: { memory: 'attention', adjust: optionalWindow(6) },
  gemma3n: {
    memory: 'attention',
    adjust: all(slidingWindow(5), (hparams) => {
      hparams.nLayerKvFromStart = 20;
    }),
  },
  gemma4: { memory: 'attention', adjust: gemma4 },
  'gpt-oss': { memory: 'attention', adjust: slidingWindow(2) },
  cohere2: { memory: 'attention', adjust: slidingWindow(4) },
  olmo2: { memory: 'attention', adjust: optionalWindow(4) },
  llama4: { memory: 'attention', adjust: llama4 },
  deepseek2: { memory: 'attention', adjust: latentAttention },
  mistral4: { memory: 'attention', adjust: latentAttention },
  mamba: { memory: 'recurrent', adjust: recurrentWhere(() => true) },
  mamba2: { memory: 'recurrent', adjust: recurrentWhere(() => true) },
  lfm2: { memory: 'hybrid', adjust: lfm2 },
  lfm2moe: { memory: 'hybrid', adjust: withoutKvHeads },
  granitehybrid: { memory: 'hybrid', adjust: withoutKvHeads },
  nemotron_h: {
    memory: 'hybrid',
    adjust: recurrentWhere(({ nHeadKv, nFf }, layer) => nHeadKv[layer] === 0 && nFf[layer] === 0),
    hybrid: withoutFeedForward,
  },
  nemotron_h_moe: {
    memory: 'hybrid',
    adjust: recurrentWhere(({ nHeadKv, nFf }, layer) => nHeadKv[layer] === 0 && nFf[layer] === 0),
    hybrid: withoutFeedForward,
  },
  'falcon-h1': {
    memory: 'hybrid',
    adjust: recurrentWhere(() => true),
    hybrid: { attention: () => true, recurrent: () => true },
  },
  qwen3next: { memory: 'hybrid', adjust: linearAttention(4), hybrid: mainLayersOnly },
  qwen35: { memory: 'hybrid', adjust: all(linearAttention(4), multiSectionRope), hybrid: mainLayersOnly },
  qwen35moe: { memory: 'hybrid', adjust: all(linearAttention(4), multiSectionRope), hybrid: mainLayersOnly },
  ...DRAFT_RULES,
  ...DECODER_RULES,
  ...ENCODER_RULES,
  ...RECURRENT_RULES,
  ...LATENT_RULES,
  ...SPARSE_RULES,
});
