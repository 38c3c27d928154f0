import type { GraphBuilder } from './builder.js';
import { llama, qwen2, qwen3, qwen3moe } from './models/llama.js';

/** The layer graph of each architecture, by its name in the header: `src/models/*.cpp` (llama.cpp v0.5.0). */
export const GRAPHS: Readonly<Record<string, (g: GraphBuilder) => void>> = {
  llama,
  qwen2,
  qwen3,
  qwen3moe,
};
