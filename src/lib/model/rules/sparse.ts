import { all, type ArchitectureRule, lightningIndexer } from '../architecture-rule.js';

/** Attention over chosen blocks or over compressed keys, and hyper-connections. */
export const SPARSE_RULES: Readonly<Record<string, ArchitectureRule>> = {
  deepseek4: {
    memory: 'attention',
    adjust: all(lightningIndexer, (hparams, keys) => {
      hparams.swa = 'standard';
      hparams.nSwa = keys.required('attention.sliding_window');
      hparams.isSwa = hparams.isSwa.map(() => true);
      hparams.nEmbdOut = keys.required('hyper_connection.count') * hparams.nEmbd;
    }),
    loadedDims: (name, { nHead, headK }, keys) => {
      if (!name.endsWith('.attn_output_a.weight')) return undefined;
      const groups = keys.required('attention.output_group_count');
      return [((nHead[0] ?? 0) * headK) / groups, keys.required('attention.output_lora_rank'), groups];
    },
    compressRatios: (keys) => keys.list('attention.compress_ratios'),
  },
  'minimax-m3': {
    memory: 'attention',
    adjust: lightningIndexer,
    indexer: ({ nLayerDenseLead }, layer) => layer >= nLayerDenseLead,
  },
};
