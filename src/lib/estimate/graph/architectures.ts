import type { GraphBuilder } from './builder.js';
import { gemma2, gemma3 } from './models/gemma.js';
import { gptOss, granite, llama, phi3, qwen2, qwen3, qwen3moe, smollm3 } from './models/llama.js';
import { cohere2, olmo2 } from './models/parallel.js';

export interface ArchitectureGraph {
  readonly build: (g: GraphBuilder) => void;
  /** What makes a layer's graph differ from another's beside its weights, heads, windows and recurrence. */
  readonly kindOf?: (layer: number) => number;
}

/** The layer graph of each architecture, by its name in the header: `src/models/*.cpp` (llama.cpp v0.5.0). */
export const GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  llama: { build: llama },
  qwen2: { build: qwen2 },
  qwen3: { build: qwen3 },
  qwen3moe: { build: qwen3moe },
  smollm3: { build: smollm3, kindOf: (layer) => layer % 4 },
  phi3: { build: phi3 },
  granite: { build: granite },
  granitemoe: { build: granite },
  'gpt-oss': { build: gptOss },
  gemma2: { build: gemma2 },
  gemma3: { build: gemma3 },
  cohere2: { build: cohere2 },
  olmo2: { build: olmo2 },
};
