/** Models that have experts, or may have, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const EXPERTS_2_ROWS = `
glm4moe
  let n_ff_shexp = 0
  need n_expert > 0
  need n_expert_used > 0
  embedding
  each 0..n_layer_all
    .attn_norm?(i < n_layer ? only_mtp : without_mtp): n_embd
    qkv?(i < n_layer ? only_mtp : 1): n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output?(i < n_layer ? only_mtp : without_mtp): n_embd_head_k * n_head, n_embd
    .attn_q_norm .attn_k_norm?: n_embd_head_k
    .post_attention_norm?(i < n_layer ? only_mtp : without_mtp): n_embd
    let use_moe = (i >= n_layer_dense_lead)
    if use_moe
      .ffn_gate_inp?(i < n_layer ? only_mtp : without_mtp): n_embd, n_expert
      .exp_probs_b.bias?(i < n_layer ? only_mtp : without_mtp): n_expert
      let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
      experts?(i < n_layer ? only_mtp : without_mtp): n_embd, n_ff_exp, n_expert
      if n_expert_shared > 0
        let n_ff_shexp = n_ff_exp * n_expert_shared
        shared_expert?(i < n_layer ? only_mtp : without_mtp): n_embd, n_ff_shexp
    else
      ffn?(i < n_layer ? only_mtp : without_mtp): n_embd, n_ff
    if i >= n_layer
      .nextn.eh_proj?(i < n_layer ? only_mtp : without_mtp): 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm?(i < n_layer ? only_mtp : without_mtp): n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.shared_head_norm?: n_embd
granitemoe granite
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    if long_rope
      rope_factors_long rope_factors_short?: n_rot/2
    else
      rope_freqs?: n_rot/2
    if n_expert == 0
      ffn: n_embd, n_ff
      .ffn_gate.bias .ffn_up.bias?: n_ff
      .ffn_down.bias?: n_embd
    else
      .ffn_gate_inp: n_embd, n_expert
      .ffn_gate_exps?: n_embd, n_ff, n_expert
      .ffn_down_exps: n_ff, n_embd, n_expert
      .ffn_up_exps: n_embd, n_ff, n_expert
      if n_ff_shexp > 0
        shared_expert: n_embd, n_ff_shexp
granite_swa
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_output.bias?: n_embd
    .attn_sinks: n_head
    .ffn_norm: n_embd
    if long_rope
      rope_factors_long rope_factors_short?: n_rot/2
    else
      rope_freqs?: n_rot/2
    if n_expert == 0
      ffn: n_embd, n_ff
      .ffn_gate.bias .ffn_up.bias?: n_ff
      .ffn_down.bias?: n_embd
    else
      .ffn_gate_inp: n_embd, n_expert
      .ffn_down_exps: n_ff, n_embd, n_expert
      gate_up_exps: n_embd, n_ff, n_expert
      if n_ff_shexp > 0
        .ffn_up_shexp: n_embd, 2*n_ff_shexp
        .ffn_down_shexp: n_ff_shexp, n_embd
grok
  if n_expert == 0
    refuse model cannot have zero experts
  embedding
  let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd, n_embd
    .attn_output_norm .ffn_norm: n_embd
    ffn?: n_embd, n_ff
    .ffn_gate_inp: n_embd, n_expert
    .ffn_gate_exps?: n_embd, n_ff_exp, n_expert
    .ffn_down_exps: n_ff_exp, n_embd, n_expert
    .ffn_up_exps: n_embd, n_ff_exp, n_expert
    .layer_output_norm?: n_embd
    if !has(.layer_output_norm.weight)
      .post_ffw_norm: n_embd
grovemoe
  embedding
  need n_expert > 0
  need n_expert_used > 0
  need n_group_experts > 0
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    let n_ff_chexp = n_ff_chexp ? n_ff_chexp : n_embd_head_k
    let n_chunk_expert = n_expert / n_group_experts
    experts: n_embd, n_ff_exp, n_expert
    .ffn_gate_chexps .ffn_up_chexps: n_embd, n_ff_chexp, n_chunk_expert
    .ffn_down_chexps: n_ff_chexp, n_embd, n_chunk_expert
hunyuan-moe
  embedding
  each 0..n_layer
    let n_ff_shexp = n_ff_shexp > 0 ? n_ff_shexp : n_ff[i]
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff, n_expert
    shared_expert: n_embd, n_ff_shexp
hy_v3
  embedding
  each 0..n_layer
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / (n_expert_used > 0 ? n_expert_used : 1)
    let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff_exp
    .attn_norm?(only_mtp): n_embd
    qkv?(only_mtp): n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output?(only_mtp): n_embd_head_k * n_head, n_embd
    .attn_q_norm .attn_k_norm?(only_mtp): n_embd_head_k
    .ffn_norm?(only_mtp): n_embd
    ffn?: n_embd, n_ff
    .ffn_gate_inp?: n_embd, n_expert
    .exp_probs_b!?: n_expert
    .ffn_down_exps?: n_ff_exp, n_embd, n_expert
    gate_up_exps?: n_embd, n_ff_exp, n_expert
    shared_expert?: n_embd, n_ff_shexp
  each n_layer..n_layer_all
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / (n_expert_used > 0 ? n_expert_used : 1)
    let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff_exp
    .attn_norm?(without_mtp): n_embd
    qkv?: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output?(without_mtp): n_embd_head_k * n_head, n_embd
    .attn_q_norm .attn_k_norm?(without_mtp): n_embd_head_k
    .ffn_norm?(without_mtp): n_embd
    ffn?: n_embd, n_ff
    .ffn_gate_inp?: n_embd, n_expert
    .exp_probs_b!?: n_expert
    .ffn_down_exps?: n_ff_exp, n_embd, n_expert
    gate_up_exps?: n_embd, n_ff_exp, n_expert
    shared_expert?: n_embd, n_ff_shexp
    .nextn.eh_proj?(without_mtp): 2 * n_embd, n_embd
    .nextn.enorm .nextn.hnorm?(without_mtp): n_embd
    .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
    .nextn.shared_head_norm?: n_embd
llada-moe
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  need n_expert > 0
  need n_expert_used > 0
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd, n_embd
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts: n_embd, n_ff_exp, n_expert
llama minicpm refact llama-embed
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    if long_rope
      rope_factors_long rope_factors_short?: n_rot/2
    else
      rope_freqs?: n_rot/2
    if n_expert == 0
      ffn: n_embd, n_ff
      .ffn_gate.bias .ffn_up.bias?: n_ff
      .ffn_down.bias?: n_embd
    else
      .ffn_gate_inp: n_embd, n_expert
      .ffn_gate_exps?: n_embd, n_ff, n_expert
      .ffn_down_exps: n_ff, n_embd, n_expert
      .ffn_up_exps: n_embd, n_ff, n_expert
llama4
  let n_ff_shexp = 0
  if n_expert == 0
    refuse model cannot have zero experts
  embedding
  each 0..n_layer
    let is_moe_layer = n_moe_layer_step > 0 && (i + 1) % n_moe_layer_step == 0
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .ffn_norm: n_embd
    rope_freqs?: n_rot/2
    if is_moe_layer
      .ffn_gate_inp: n_embd, n_expert
      experts: n_embd, n_ff_exp, n_expert
      let n_ff_shexp = n_ff_exp
      shared_expert: n_embd, n_ff_shexp
    else
      ffn: n_embd, n_ff
maple
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  if n_expert == 0
    refuse n_expert must be > 0 for Maple
  if n_expert_used == 0
    refuse n_expert_used must be > 0 for Maple
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_head * n_embd_head_k, n_head_kv * n_embd_head_k, n_head_kv * n_embd_head_k
    .attn_output: n_head * n_embd_head_k, n_embd
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff_exp, n_expert
mellum
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  if n_expert == 0
    refuse n_expert must be > 0 for Mellum
  if n_expert_used == 0
    refuse n_expert_used must be > 0 for Mellum
  each 0..n_layer
    .attn_norm?(only_mtp): n_embd
    qkv?(only_mtp): n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output?(only_mtp): n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm?(only_mtp): n_embd_head_k
    .ffn_norm?(only_mtp): n_embd
    .ffn_gate_inp?(only_mtp): n_embd, n_expert
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts?(only_mtp): n_embd, n_ff_exp, n_expert
  each n_layer..n_layer_all
    .attn_norm?(without_mtp): n_embd
    qkv?: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output?(without_mtp): n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm?(without_mtp): n_embd_head_k
    .ffn_norm?(without_mtp): n_embd
    .ffn_gate_inp?(without_mtp): n_embd, n_expert
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts?(without_mtp): n_embd, n_ff_exp, n_expert
    .nextn.eh_proj?(without_mtp): 2 * n_embd, n_embd
    .nextn.enorm .nextn.hnorm .nextn.shared_head_norm?(without_mtp): n_embd
mimo2
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer_all
    let n_embd_k_gqa = n_embd_k_gqa[i]
    let n_embd_v_gqa = n_embd_v_gqa[i]
    let n_head = n_head[i]
    let is_nextn = i >= n_layer
    qkv?(is_nextn ? 1 : only_mtp): n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output?(is_nextn ? without_mtp : only_mtp): n_embd_head_v * n_head, n_embd
    .attn_norm .ffn_norm?(is_nextn ? without_mtp : only_mtp): n_embd
    .attn_sinks?: n_head
    ffn?: n_embd, n_ff
    .ffn_gate_inp?: n_embd, n_expert
    experts?: n_embd, n_ff_exp, n_expert
    .exp_probs_b.bias?: n_expert
    if is_nextn
      .nextn.eh_proj?(is_nextn ? without_mtp : only_mtp): 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm?(is_nextn ? without_mtp : only_mtp): n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.shared_head_norm .layer_output_norm?: n_embd
`;
