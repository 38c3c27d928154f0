import type { ArchitectureGraph } from '../../architecture-graph.js';
import { jamba } from './jamba.js';
import { miniMax01 } from './minimax-01.js';
import { plamo2 } from './plamo2.js';
import { arwkv7, isRescaled, rwkv6, rwkv6qwen2, rwkv7 } from './rwkv.js';

/** Models with a state of constant size for each sequence, alone or beside a KV cache. */
export const RECURRENT_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  rwkv6: { build: rwkv6, kindOf: (layer, shape) => Number(isRescaled(layer, shape)) },
  rwkv7: { build: rwkv7 },
  rwkv6qwen2: { build: rwkv6qwen2 },
  arwkv7: { build: arwkv7 },
  jamba: { build: jamba },
  plamo2: { build: plamo2 },
  'minimax-01': { build: miniMax01, alsoOneSequence: true },
};
