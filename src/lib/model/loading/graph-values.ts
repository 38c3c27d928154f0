import type { ModelShape } from '../model-shape.js';
import { keysRead } from './keys-read.js';
import { refusedByLoader } from './load-error.js';

interface GraphValue {
  /** Without the architecture's name. */
  readonly keys: readonly string[];
  /** Which architectures ask for that; all that read the key where nothing is said. */
  readonly of?: readonly string[];
  /**
   * @param value 0 or 1 for a truth value
   * @param isRequired whether llama.cpp does not load without the key; else 0 is as good as not said
   */
  readonly holds: (value: number, shape: ModelShape, isRequired: boolean) => boolean;
  /** What llama.cpp aborts with. */
  readonly words: string;
}

/** Inputs of earlier tokens that a layer keeps. */
const TOKEN_SHIFTS: ReadonlyMap<string, number> = new Map([
  ['rwkv6', 2],
  ['rwkv7', 2],
  ['rwkv6qwen2', 1],
  ['arwkv7', 1],
]);

/** Values without which a graph is not built or not run, of what a file says (llama.cpp v0.5.0). */
const GRAPH_VALUES: readonly GraphValue[] = [
  // `ggml_compute_forward_norm` and its like (`ggml/src/ggml-cpu/ops.cpp`)
  {
    keys: ['attention.layer_norm_epsilon', 'attention.layer_norm_rms_epsilon', 'attention.group_norm_epsilon'],
    holds: (value) => value >= 0,
    words: 'GGML_ASSERT(eps >= 0.0f) failed',
  },
  // `build_moe_ffn` (`src/llama-graph.cpp`), `enum llama_expert_gating_func_type`
  {
    keys: ['expert_gating_func'],
    holds: (value, { hparams: { nExpert } }, isRequired) =>
      nExpert === 0 || (value >= Number(isRequired) && value <= 4),
    words: 'there is no such gating function',
  },
  // `ggml_dsv4_hc_comb` (`ggml/src/ggml.c`), where it has a sign
  {
    keys: ['hyper_connection.sinkhorn_iterations'],
    holds: (value) => value > 0 && value < 2 ** 31,
    words: 'GGML_ASSERT(n_iter > 0) failed',
  },
  // `src/models/rwkv6-base.cpp`, `rwkv7-base.cpp`
  {
    keys: ['wkv.head_size'],
    holds: (value, { hparams: { nEmbd } }) => value > 0 && nEmbd % value === 0,
    words: 'GGML_ASSERT(ggml_nelements(a) == ne0*ne1*ne2) failed',
  },
  // `src/models/rwkv6.cpp`, `rwkv7.cpp`, `rwkv6qwen2.cpp`, `arwkv7.cpp`
  {
    keys: ['token_shift_count'],
    holds: (value, { architecture }) => value === (TOKEN_SHIFTS.get(architecture) ?? value),
    words: 'GGML_ASSERT(hparams.token_shift_count == 2) failed',
  },
  // `src/models/bailingmoe3.cpp`
  { keys: ['kda.safe_gate'], holds: (value) => value === 1, words: 'GGML_ASSERT(hparams.kda_safe_gate) failed' },
  {
    keys: ['kda.gate_lower_bound'],
    of: ['bailingmoe3'],
    holds: (value) => value < 0,
    words: 'GGML_ASSERT(hparams.kda_gate_lower_bound < 0.0f) failed',
  },
  // `src/models/deepseek2.cpp`, where it is an OCR model's
  {
    keys: ['rope.freq_base'],
    of: ['deepseek2-ocr'],
    holds: (value) => Math.abs(value - 10000) < 1e-4,
    words: 'GGML_ASSERT(fabs(freq_base - 10000.0) < 1e-4) failed',
  },
  // `src/models/mistral3.cpp`: what attention is scaled by beyond that length
  {
    keys: ['rope.scaling.original_context_length'],
    of: ['mistral3'],
    holds: (value, { keys }) => value > 0 || keys.real('attention.temperature_scale', 0) === 0,
    words: 'invalid n_ctx_orig_yarn for attention temperature scaling',
  },
  // `src/models/gemma-embedding.cpp`
  {
    keys: ['dense_2_feat_in', 'dense_3_feat_out'],
    holds: (value, { hparams: { nEmbd } }) => value === 0 || value === nEmbd,
    words: 'it must be equal to n_embd',
  },
];

/**
 * Holds what a header says against what the model's graph asserts of it.
 * @throws CheckIncompleteError in llama.cpp's words, where it has some
 */
export function requireGraphValues(shape: ModelShape): void {
  const read = new Map(keysRead(shape.architecture).map(({ key, isRequired }) => [key, isRequired]));
  for (const { keys, of, holds, words } of GRAPH_VALUES) {
    if (of && !of.includes(shape.architecture)) continue;
    for (const key of keys.map((name) => `${shape.architecture}.${name}`)) {
      const value = shape.keys.metadata.get(key);
      const isRequired = read.get(key);
      if (isRequired === undefined || (typeof value !== 'number' && typeof value !== 'boolean')) continue;
      if (holds(Number(value), shape, isRequired)) continue;
      throw refusedByLoader('MODEL_COUNT_INVALID', `${words}, since ${key} is ${value}`);
    }
  }
}
