import type { ArchitectureGraph } from '../../architecture-graph.js';
import { deepseek4 } from './deepseek4.js';
import { hyV4 } from './hy-v4.js';
import { miniMaxM3 } from './minimax-m3.js';

/** Attention over chosen blocks or over compressed keys, and hyper-connections. */
export const SPARSE_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  'minimax-m3': { build: miniMaxM3 },
  deepseek4: { build: deepseek4, fusedOps: ['hc-pre', 'hc-comb', 'hc-post'] },
  hy_v4: { build: hyV4 },
};
