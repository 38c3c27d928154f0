import type { ArchitectureGraph } from '../../architecture-graph.js';
import { deepseek4 } from './deepseek4.js';
import { hyV4 } from './hy-v4.js';
import { miniMaxM3 } from './minimax-m3.js';
import { qwen4exp } from './qwen4exp.js';

/** Attention over chosen blocks or over compressed keys, and hyper-connections. */
export const SPARSE_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  'minimax-m3': miniMaxM3,
  deepseek4: { build: deepseek4, fusedOps: ['hc-pre', 'hc-comb', 'hc-post', 'choice-mask'] },
  qwen4exp: {
    build: qwen4exp,
    kindOf: (layer, { keys, hparams }) => keys.perLayer('attention.compress_ratios', hparams.nLayerAll, 0)[layer] ?? 0,
    fusedOps: ['hc-pre', 'hc-post', 'choice-mask'],
  },
  hy_v4: { build: hyV4, fusedOps: ['choice-mask'] },
};
