import type { ArchitectureGraph } from '../../architecture-graph.js';
import { hyV4 } from './hy-v4.js';
import { miniMaxM3 } from './minimax-m3.js';

/** Attention over chosen blocks or over compressed keys, and hyper-connections. */
export const SPARSE_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  'minimax-m3': { build: miniMaxM3 },
  hy_v4: { build: hyV4 },
};
