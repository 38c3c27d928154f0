import { all, type ArchitectureRule, lightningIndexer, withoutKvHeads } from '../architecture-rule.js';
import type { Hparams } from '../hparams.js';
import type { Keys } from '../keys.js';

/** Both keys, or the old layout: `llama_hparams::is_mla`. */
export function latentAttention(hparams: Hparams, keys: Keys): void {
  const [k, v] = [keys.number('attention.key_length_mla', 0), keys.number('attention.value_length_mla', 0)];
  if (k !== 0 && v !== 0) [hparams.headKMla, hparams.headVMla] = [k, v];
}

/** Models from here on share indexers. */
const GLM_5_2_CONTEXT = 1048576;

/** Without the header's word: the first two layers, and every fourth from the third on (`glm-dsa.cpp`). */
function sharedIndexers(hparams: Hparams, keys: Keys): void {
  const types = keys.flagEach('attention.indexer.types', hparams.nLayer);
  if (types) hparams.indexer.full = types;
  else if (hparams.nCtxTrain >= GLM_5_2_CONTEXT)
    hparams.indexer.full = hparams.indexer.full.map((_, layer) => layer < 2 || layer % 4 === 2);
}

/** Without `attention.indexer.top_k` there is no indexer. */
function indexerTypes(hparams: Hparams, keys: Keys): void {
  const { indexer } = hparams;
  if (indexer.topK === 0) hparams.indexer = { ...indexer, headSize: 0 };
  indexer.full = keys.flagEach('attention.indexer.types', hparams.nLayer) ?? indexer.full.map(() => false);
}

const ownsIndexer: ArchitectureRule['indexer'] = ({ nLayer, indexer: { full } }, layer) =>
  layer < nLayer && full[layer] === true;

/** Delta attention where a layer has no KV heads, latent attention elsewhere. */
const kimiDelta = all(latentAttention, withoutKvHeads, (hparams, keys) => {
  hparams.headKda = keys.number('kda.head_dim', 0);
});

/** Latent attention beside DeepSeek-V2's: over chosen cells, in hybrids. */
export const LATENT_RULES: Readonly<Record<string, ArchitectureRule>> = {
  dots3note: {
    memory: 'attention',
    adjust: all(latentAttention, lightningIndexer, (hparams, keys) => {
      hparams.swa = 'standard';
      hparams.nSwa = keys.required('attention.sliding_window');
      hparams.isSwa = keys.flags('attention.sliding_window_pattern', hparams.nLayerAll) ?? hparams.isSwa;
      hparams.indexer.full = keys.flags('attention.indexer.types', hparams.nLayerAll) ?? hparams.indexer.full;
    }),
    indexer: ownsIndexer,
    rotatesIndexer: true,
  },
  minicpm3: { memory: 'attention' },
  'kimi-linear': { memory: 'hybrid', adjust: kimiDelta },
  'kimi-k3': {
    memory: 'hybrid',
    adjust: all(kimiDelta, (hparams, keys) => {
      hparams.headV = keys.required('attention.kv_lora_rank');
    }),
  },
  hy_v4: {
    memory: 'attention',
    adjust: all(latentAttention, lightningIndexer, indexerTypes),
    indexer: ownsIndexer,
  },
  bailingmoe3: { memory: 'hybrid', adjust: kimiDelta },
  deepseek32: {
    memory: 'attention',
    adjust: all(latentAttention, lightningIndexer),
    indexer: ownsIndexer,
    rotatesIndexer: true,
  },
  'glm-dsa': {
    memory: 'attention',
    adjust: all(latentAttention, lightningIndexer, sharedIndexers),
    indexer: ownsIndexer,
    rotatesIndexer: true,
  },
};
