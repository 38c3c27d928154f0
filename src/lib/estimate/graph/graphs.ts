import type { ArchitectureGraph } from './architecture-graph.js';
import { dflash, isPlainDflash } from './drafts/dflash.js';
import { eagle3 } from './drafts/eagle3.js';
import { gemma4Assistant } from './drafts/gemma4-assistant.js';
import { DECODER_GRAPHS } from './models/decoders/table.js';
import { deepseek2 } from './models/deepseek2.js';
import { ENCODER_GRAPHS } from './models/encoders/table.js';
import { falconH1 } from './models/falcon-h1.js';
import { gemma3n, SPARSE_LAYERS } from './models/gemma3n.js';
import { gemma4 } from './models/gemma4.js';
import { lfm2 } from './models/lfm2.js';
import { mamba, mamba2 } from './models/mamba.js';
import { nemotronH } from './models/nemotron-h.js';
import { LATENT_GRAPHS } from './models/latent/table.js';
import { RECURRENT_GRAPHS } from './models/recurrent/table.js';
import { SPARSE_GRAPHS } from './models/sparse/table.js';
import { qwen35, qwen3next } from './models/qwen3next.js';
import { llama4 } from './models/llama4.js';
import { table } from '../../table.js';

/** The layer graph of each architecture, by its name in the header: `src/models/*.cpp` (llama.cpp v0.5.0). */
export const GRAPHS = table<ArchitectureGraph>({
  gemma3n: { build: gemma3n, kindOf: (layer) => (layer < SPARSE_LAYERS ? 1 : 0) },
  gemma4: { build: gemma4 },
  llama4: { ...llama4, kindOf: (layer) => layer % 4 },
  deepseek2,
  mistral4: deepseek2,
  mamba: { build: mamba },
  mamba2: { build: mamba2 },
  nemotron_h: { build: nemotronH },
  nemotron_h_moe: { build: nemotronH },
  'falcon-h1': { build: falconH1 },
  lfm2: { build: lfm2 },
  lfm2moe: { build: lfm2 },
  qwen3next: { build: qwen3next },
  qwen35: { build: qwen35 },
  qwen35moe: { build: qwen35 },
  eagle3: { build: eagle3 },
  dflash: { build: dflash, describes: isPlainDflash },
  'gemma4-assistant': { build: gemma4Assistant },
  ...DECODER_GRAPHS,
  ...ENCODER_GRAPHS,
  ...RECURRENT_GRAPHS,
  ...LATENT_GRAPHS,
  ...SPARSE_GRAPHS,
});
