import type { ArchitectureGraph } from '../../architecture-graph.js';
import { dots3Note, sparseLatent } from './dsa.js';
import { bailingMoe3, kimiLinear } from './kimi-linear.js';
import { bankOf, firstOfBlock, kimiK3 } from './kimi-k3.js';

/** Latent attention beside DeepSeek-V2's: over chosen cells, in hybrids. */
export const LATENT_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  deepseek32: { ...sparseLatent, fusedOps: ['choice-mask'] },
  'glm-dsa': { ...sparseLatent, fusedOps: ['choice-mask'] },
  dots3note: { ...dots3Note, fusedOps: ['choice-mask'] },
  'kimi-linear': { build: kimiLinear, alsoOneSequence: true },
  'kimi-k3': {
    build: kimiK3,
    kindOf: (layer, { keys }) => bankOf(layer, keys.number('attn_res.block_size', 0)),
    kindWithoutParts: (layer, { keys }) => firstOfBlock(layer, keys.number('attn_res.block_size', 0)),
  },
  bailingmoe3: { build: bailingMoe3 },
};
