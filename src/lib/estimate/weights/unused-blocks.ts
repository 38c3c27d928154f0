import { table } from '../../table.js';

const FEED_FORWARD =
  'ffn_gate|ffn_down|ffn_up|ffn_gate_inp|exp_probs_b|ffn_(gate|down|up|gate_up)_exps|ffn_(gate|down|up)_shexp';
const NEXTN = 'nextn\\.(embed_tokens|shared_head_head|shared_head_norm)';

/**
 * Blocks that only predict further tokens are left out unless a launch uses them, but for what their loaders read without
 * `TENSOR_SKIP`: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0).
 */
const LOADED = table<RegExp>({
  hy_v3: pattern(`${FEED_FORWARD}|${NEXTN}`),
  step35: pattern(`${FEED_FORWARD}|${NEXTN}|attn_[qk]_norm|attn_gate`),
  cohere2moe: pattern(NEXTN),
  deepseek32: pattern('exp_probs_b'),
  'glm-dsa': pattern('exp_probs_b'),
});

function pattern(names: string): RegExp {
  return new RegExp(`^blk\\.\\d+\\.(?:${names})(?:\\.(?:weight|bias))?$`);
}

/** Whether a weight of a block that the launch does not use is loaded all the same. */
export function isLoadedUnused(name: string, architecture: string): boolean {
  return LOADED[architecture]?.test(name) ?? false;
}
