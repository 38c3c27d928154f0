/** Models that have experts, or may have, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const EXPERTS_G_TO_H_ROWS = `
gemma4
  if n_embd_head_k != n_embd_head_v
    refuse Gemma 4 requires n_embd_head_k == n_embd_head_v
  if n_embd_head_k_swa != n_embd_head_v_swa
    refuse Gemma 4 requires n_embd_head_k_swa == n_embd_head_v_swa
  output?: n_embd, n_vocab
  token_embd: n_embd, n_vocab
  if n_embd_per_layer > 0
    per_layer_token_embd: n_embd_per_layer * n_layer, n_vocab
    per_layer_model_proj: n_embd, n_embd_per_layer * n_layer
    per_layer_proj_norm: n_embd_per_layer
  output_norm: n_embd
  each 0..n_layer
    let n_head = n_head[i]
    let kv_flags = has_kv[i] ? 0 : 1
    .attn_norm: n_embd
    .attn_qkv?: n_embd, n_embd_head_k[i] * n_head + n_embd_k_gqa[i] + n_embd_v_gqa[i]
    if !has(.attn_qkv.weight)
      .attn_q: n_embd, n_embd_head_k[i] * n_head
      .attn_k?(kv_flags): n_embd, n_embd_k_gqa[i]
      .attn_v?: n_embd, n_embd_v_gqa[i]
    .attn_output: n_embd_head_k[i] * n_head, n_embd
    .attn_q_norm: n_embd_head_k[i]
    .attn_k_norm?(kv_flags): n_embd_head_k[i]
    .post_attention_norm: n_embd
    .layer_output_scale?: 1
    if !is_swa[i]
      rope_freqs: n_embd_head_k[i]/2
    .ffn_norm: n_embd
    ffn: n_embd, n_ff[i]
    .post_ffw_norm: n_embd
    .ffn_gate_inp?: n_embd, n_expert
    let has_expert = has(.ffn_gate_inp.weight)
    if has_expert
      .ffn_gate_inp.scale .pre_ffw_norm_2 .post_ffw_norm_1 .post_ffw_norm_2: n_embd
      .ffn_gate_up_exps?: n_embd, n_ff_exp * 2, n_expert
      if !has(.ffn_gate_up_exps.weight)
        .ffn_gate_exps .ffn_up_exps: n_embd, n_ff_exp, n_expert
      .ffn_down_exps: n_ff_exp, n_embd, n_expert
    if n_embd_per_layer > 0
      .inp_gate: n_embd, n_embd_per_layer
      .proj: n_embd_per_layer, n_embd
      .post_norm: n_embd
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
      nextn?(i < n_layer ? only_mtp : without_mtp): n_embd, n_vocab
gpt-oss
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm .post_attention_norm: n_embd
    attention: n_embd, n_head * n_rot, n_head_kv * n_rot, n_head_kv * n_rot
    .attn_sinks: n_head
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff_exp, n_expert
    .attn_output.bias: n_embd
    .ffn_gate_inp.bias: n_expert
    .ffn_gate_exps.bias .ffn_up_exps.bias: n_ff_exp, n_expert
    .ffn_down_exps.bias: n_embd, n_expert
granite_swa
  if last_deepstack > n_deepstack_layers
    refuse Invalid deepstack index
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias?: n_embd
    .attn_sinks: n_head
    .ffn_norm: n_embd
    rope_factors
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
granitemoe granite
  if last_deepstack > n_deepstack_layers
    refuse Invalid deepstack index
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    rope_factors
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
grok
  if n_expert == 0
    refuse model cannot have zero experts
  embedding
  let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
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
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
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
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
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
    attention?(only_mtp): n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
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
    nextn?(without_mtp): n_embd, n_vocab
`;
