import type { ArchitectureGraph } from '../../architecture-graph.js';
import { sparseLatent } from './dsa.js';

/** Latent attention beside DeepSeek-V2's: over chosen cells, in hybrids. */
export const LATENT_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  deepseek32: { build: sparseLatent },
  'glm-dsa': { build: sparseLatent },
};
