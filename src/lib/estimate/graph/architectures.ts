import type { GraphBuilder } from './builder.js';
import { deepseek2 } from './models/deepseek2.js';
import { bert, nomicBert } from './models/encoders.js';
import { gemma2, gemma3 } from './models/gemma.js';
import { gemma3n } from './models/gemma3n.js';
import { gemma4 } from './models/gemma4.js';
import { gptOss, granite, llama, phi3, qwen2, qwen3, qwen3moe, smollm3 } from './models/llama.js';
import { cohere2, olmo2 } from './models/parallel.js';
import { glm4moe, llama4, minimaxM2 } from './models/shared-experts.js';

/** The layer graph of each architecture, by its name in the header: `src/models/*.cpp` (llama.cpp v0.5.0). */
export const GRAPHS: Readonly<Record<string, (g: GraphBuilder) => void>> = {
  llama,
  qwen2,
  qwen3,
  qwen3moe,
  smollm3,
  phi3,
  granite,
  granitemoe: granite,
  'gpt-oss': gptOss,
  gemma2,
  gemma3,
  gemma3n,
  gemma4,
  cohere2,
  olmo2,
  llama4,
  deepseek2,
  glm4moe,
  'minimax-m2': minimaxM2,
  bert,
  'nomic-bert': nomicBert,
};
