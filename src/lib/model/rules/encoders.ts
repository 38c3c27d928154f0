import { all, type ArchitectureRule, slideEvery } from '../architecture-rule.js';
import { headKOf, headVOf, type Hparams } from '../hparams.js';
import type { Keys } from '../keys.js';

const encoder: ArchitectureRule = { memory: 'none' };

function bidirectional(hparams: Hparams): void {
  hparams.causal = false;
}

/** Windows to both sides of a token. */
function symmetricWindow(pattern: number, denseFirst = false) {
  return (hparams: Hparams, keys: Keys): void => {
    hparams.nSwa = keys.number('attention.sliding_window', 0);
    hparams.swa = 'symmetric';
    slideEvery(hparams, keys, pattern, denseFirst);
  };
}

/** `src/models/modern-bert.cpp`: its graph takes the first layer's heads for all, and nothing is cached by their size. */
function modernBertWindow(hparams: Hparams, keys: Keys): void {
  if (keys.number('attention.sliding_window', 0) > 0) symmetricWindow(3, true)(hparams, keys);
  hparams.headKSwa = headKOf(hparams, 0);
  hparams.headVSwa = headVOf(hparams, 0);
}

const diffusion: ArchitectureRule = { memory: 'none', adjust: bidirectional };

/** Encoders, encoder-decoders and diffusion models. */
export const ENCODER_RULES: Readonly<Record<string, ArchitectureRule>> = {
  bert: encoder,
  'nomic-bert': encoder,
  'nomic-bert-moe': encoder,
  'jina-bert-v2': encoder,
  'jina-bert-v3': encoder,
  'neo-bert': encoder,
  eurobert: encoder,
  'modern-bert': { memory: 'none', adjust: modernBertWindow },
  'gemma-embedding': { memory: 'none', adjust: all(symmetricWindow(6), bidirectional) },
  'llama-embed': { memory: 'attention' },
  t5: {
    memory: 'attention',
    adjust: (hparams) => {
      hparams.encoder = 'with-decoder';
    },
  },
  t5encoder: {
    memory: 'attention',
    adjust: (hparams) => {
      hparams.encoder = 'alone';
    },
  },
  dream: diffusion,
  llada: diffusion,
  'llada-moe': diffusion,
  rnd1: diffusion,
};
