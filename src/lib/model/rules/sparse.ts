import {
  all,
  type ArchitectureRule,
  lightningIndexer,
  linearAttention,
  mainLayersOnly,
  multiSectionRope,
} from '../architecture-rule.js';
import type { Hparams } from '../hparams.js';
import type { Keys } from '../keys.js';

/** Qwen 4's norms over all streams, which files hold as one row. */
const NORMS_OF_STREAMS = /^(?:output_hc_norm|blk\.\d+\.(?:hc_(?:attn|ffn)_norm|ple_norm_(?:key|query|conv)))\.weight$/;

/** `ple_conv_state`: what a convolution over the last tokens' rows of a table looks back to. */
function ngramStates(hparams: Hparams, keys: Keys): void {
  const layers = keys.list('ple.layers');
  if (layers.length === 0) return;
  const tokens = (keys.required('ple.conv_kernel') - 1) * keys.required('ple.ngram_size');
  const size = tokens * keys.required('hyper_connection.count') * hparams.nEmbd;
  hparams.ngramState = hparams.ngramState.map((_, layer) => (layers.includes(layer) ? size : 0));
}

/** Without the head's first weight the last blocks are layers like all others: `src/models/deepseek4.cpp`, llama.cpp v0.5.0. */
function predictingIfThere(hparams: Hparams, _: Keys, tensors: ReadonlyMap<string, unknown>): void {
  if (tensors.has(`blk.${hparams.nLayer}.nextn.eh_proj.weight`)) return;
  hparams.nLayerNextn = 0;
  hparams.nLayer = hparams.nLayerAll;
}

/** Attention over chosen blocks or over compressed keys, and hyper-connections. */
export const SPARSE_RULES: Readonly<Record<string, ArchitectureRule>> = {
  deepseek4: {
    memory: 'attention',
    adjust: all(predictingIfThere, lightningIndexer, (hparams, keys) => {
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
  qwen4exp: {
    memory: 'hybrid',
    adjust: all(lightningIndexer, multiSectionRope, linearAttention(4), ngramStates, (hparams, keys) => {
      hparams.nEmbdOut = keys.required('hyper_connection.count') * hparams.nEmbd;
    }),
    hybrid: mainLayersOnly,
    indexer: mainLayersOnly.attention,
    indexesKeysOnly: true,
    loadedDims: (name, { nEmbd }, keys) =>
      NORMS_OF_STREAMS.test(name) ? [nEmbd, keys.required('hyper_connection.count')] : undefined,
  },
  'minimax-m3': {
    memory: 'attention',
    adjust: lightningIndexer,
    // `llama_kv_cache_msa` is given no filter.
    caches: () => true,
    indexer: ({ nLayerDenseLead }, layer) => layer >= nLayerDenseLead,
  },
};
