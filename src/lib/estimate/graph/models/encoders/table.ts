import type { ArchitectureGraph } from '../../architecture-graph.js';
import { bert, jinaBertV2, nomicBert, nomicBertMoe } from './bert.js';
import { dream, lladaMoe, rnd1 } from './diffusion.js';
import { euroBert, gemmaEmbedding, llamaEmbed, modernBert, neoBert } from './pre-norm.js';
import { t5, t5Encoder } from './t5.js';

/** Encoders, encoder-decoders and diffusion models. */
export const ENCODER_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  bert: { build: bert },
  'nomic-bert': { build: nomicBert },
  'nomic-bert-moe': { build: nomicBertMoe },
  'jina-bert-v2': { build: jinaBertV2 },
  'jina-bert-v3': { build: nomicBertMoe },
  'modern-bert': { build: modernBert },
  'neo-bert': { build: neoBert },
  eurobert: { build: euroBert },
  'gemma-embedding': { build: gemmaEmbedding },
  'llama-embed': { build: llamaEmbed },
  t5: { build: t5 },
  t5encoder: { build: t5Encoder },
  dream: { build: dream },
  llada: { build: dream },
  'llada-moe': { build: lladaMoe },
  rnd1: { build: rnd1 },
};
