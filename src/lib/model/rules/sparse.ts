import { type ArchitectureRule, lightningIndexer } from '../architecture-rule.js';

/** Attention over chosen blocks or over compressed keys, and hyper-connections. */
export const SPARSE_RULES: Readonly<Record<string, ArchitectureRule>> = {
  'minimax-m3': {
    memory: 'attention',
    adjust: lightningIndexer,
    indexer: ({ nLayerDenseLead }, layer) => layer >= nLayerDenseLead,
  },
};
