import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';

interface CountsOfLayer {
  /** Heads of queries. */
  readonly q: number;
  /** Heads of keys and values, as they are computed; the cache has each layer's own. */
  readonly kv: number;
  /** Experts that a token uses, as they are chosen; summed are each layer's own. */
  readonly experts: number;
}

const names = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Graphs that ask for a layer's own heads of queries (`hparams.n_head(il)` in `src/models/*.cpp`, llama.cpp v0.5.0 or b12032). */
const OWN_QUERY_HEADS = names(
  `deci dots3note gemma-embedding2 gemma4 gemma4-assistant granite granite_swa granitehybrid granitemoe graniteswitch
  laguna lfm3 mimo2 minicpm nemotron_h nemotron_h_moe openelm plamo2 plamo3 spark2_5 step35`,
);

/** And its own heads of keys and values (`hparams.n_head_kv(il)`). */
const OWN_KEY_HEADS = names(
  `deci gemma-embedding2 gemma4 granite granite_swa granitehybrid granitemoe graniteswitch jamba laguna lfm2 lfm2moe
  lfm3 mimo2 minicpm nemotron_h nemotron_h_moe openelm plamo2 plamo3 rwkv6 rwkv6qwen2 spark2_5 step35`,
);

/** And its own number of experts (`hparams.n_expert_used(il)`). */
const OWN_EXPERTS = names('maion-coder nemotron_h nemotron_h_moe');

/**
 * What a graph takes for a layer's counts: its own, or the first layer's where it only knows that
 * (`llm_graph_context::llm_graph_context`, `src/llama-graph.cpp`, llama.cpp v0.5.0).
 */
export function countsOfLayer({ architecture, hparams }: ModelShape, layer: number): CountsOfLayer {
  const count = (values: Hparams['nHead'], own: ReadonlySet<string>): number =>
    values[own.has(architecture) ? layer : 0] ?? 0;
  return {
    q: count(hparams.nHead, OWN_QUERY_HEADS),
    kv: count(hparams.nHeadKv, OWN_KEY_HEADS),
    experts: count(hparams.nExpertUsed, OWN_EXPERTS),
  };
}
