import {
  all,
  type ArchitectureRule,
  linearAttention,
  mainLayersOnly,
  recurrentWhere,
  withoutKvHeads,
} from '../architecture-rule.js';

const recurrent: ArchitectureRule = { memory: 'recurrent', adjust: recurrentWhere(() => true) };

/** Models with a state of constant size for each sequence, alone or beside a KV cache. */
export const RECURRENT_RULES: Readonly<Record<string, ArchitectureRule>> = {
  rwkv6: recurrent,
  rwkv7: recurrent,
  rwkv6qwen2: recurrent,
  arwkv7: recurrent,
  'minimax-01': {
    memory: 'hybrid',
    adjust: all(linearAttention(8), (hparams) => {
      hparams.headLinear = hparams.headK;
    }),
    hybrid: mainLayersOnly,
  },
  jamba: { memory: 'hybrid', adjust: withoutKvHeads },
  plamo2: {
    memory: 'hybrid',
    // The first layer has no attention heads that a size could be derived from.
    adjust: all(withoutKvHeads, (hparams, keys) => {
      hparams.headK = keys.number('attention.key_length', hparams.headK);
      hparams.headV = keys.number('attention.value_length', hparams.headV);
    }),
  },
};
