import type { ArchitectureGraph } from '../../architecture-graph.js';
import { bert, jinaBertV2, nomicBert, nomicBertMoe } from './bert.js';
import { decoderGraph } from '../decoders/build.js';
import { PRE_NORM_SPECS } from './pre-norm.js';
import { t5, t5Encoder } from './t5.js';

/** Encoders, encoder-decoders and diffusion models. */
export const ENCODER_GRAPHS: Readonly<Record<string, ArchitectureGraph>> = {
  bert: { build: bert },
  'nomic-bert': { build: nomicBert },
  'nomic-bert-moe': { build: nomicBertMoe },
  'jina-bert-v2': { build: jinaBertV2 },
  'jina-bert-v3': { build: nomicBertMoe },
  t5: { build: t5 },
  t5encoder: { build: t5Encoder },
  ...Object.fromEntries(Object.entries(PRE_NORM_SPECS).map(([name, spec]) => [name, decoderGraph(spec)])),
};
