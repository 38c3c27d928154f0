/** Models with latent attention, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const LATENT_G_TO_P_ROWS = `
glm-dsa
  if !is_mla
    refuse GLM_DSA architecture requires MLA
  let n_embd_head_qk_nope = n_embd_head_k_mla - n_rot
  embedding
  each 0..n_layer_all
    let flags = (i >= n_layer) ? without_mtp : only_mtp
    sparse_latent
    .indexer.k_norm .indexer.k_norm.bias?: indexer_head_size
    .indexer.proj?: n_embd, indexer_n_head
    .indexer.attn_k?: n_embd, indexer_head_size
    .indexer.attn_q_b?: n_lora_q, indexer_n_head * indexer_head_size
    sparse_latent_ffn
hy_v4
  let n_embd_head_qk_nope = n_embd_head_k_mla - n_rot
  need n_embd_head_qk_nope >= 1
  if indexer_top_k > 0
    if indexer_n_head == 0 || indexer_head_size <= n_rot
      refuse hy_v4: bad indexer head count / key length
    if !is_indexer_full
      refuse hy_v4: layer 0 must own an indexer, nothing precedes it to share
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  output_hc_fn: dsv4_hc_mult * n_embd, dsv4_hc_mult
  output_hc_base: dsv4_hc_mult
  output_hc_scale: 1
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_sinks: n_head
    .attn_q_a: n_embd, n_lora_q
    .attn_q_a_norm: n_lora_q
    .attn_q_b: n_lora_q, n_head * n_embd_head_k_mla
    .attn_kv_a_mqa: n_embd, n_lora_kv + n_rot
    .attn_kv_a_norm: n_lora_kv
    .attn_k_b: n_embd_head_qk_nope, n_lora_kv, n_head
    .attn_v_b: n_lora_kv, n_embd_head_v_mla, n_head
    .attn_output: n_head * n_embd_head_v_mla, n_embd
    .attn_gate: n_embd, n_head * n_embd_head_v_mla
    if indexer_top_k > 0 && is_indexer_full[i]
      .indexer.attn_q_b: n_lora_q, indexer_n_head * indexer_head_size
      .indexer.attn_k: n_embd, indexer_head_size
      .indexer.k_norm .indexer.k_norm.bias: indexer_head_size
      .indexer.proj: n_embd, indexer_n_head
    .hc_attn_fn .hc_ffn_fn: dsv4_hc_mult * n_embd, 2 * dsv4_hc_mult
    .hc_attn_base .hc_ffn_base: 2 * dsv4_hc_mult
    .hc_attn_scale .hc_ffn_scale: 2
    if i < n_layer_dense_lead
      ffn: n_embd, n_ff
    else
      experts_given
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_exp * n_expert_shared
kimi-k3
  let n_embd_latent = n_expert_latent > 0 ? n_expert_latent : n_embd
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  if attn_res_block_size > 0
    output_res_score: n_embd
  each 0..n_layer
    let d_inner = n_embd_head_kda * n_head
    .attn_norm .ffn_norm: n_embd
    if attn_res_block_size > 0
      .attn_res_score .ffn_res_score: n_embd
    if is_recr[i]
      .ssm_conv1d_q .ssm_conv1d_k .ssm_conv1d_v: ssm_d_conv, 1, d_inner
      qkv: n_embd, d_inner, d_inner, d_inner
      .ssm_f_a: n_embd, n_embd_head_kda
      .ssm_f_b: n_embd_head_kda, d_inner
      .ssm_beta: n_embd, n_head
      .ssm_a!: n_head
      .ssm_dt.bias: d_inner
      .ssm_g: n_embd, d_inner
      .ssm_norm: n_embd_head_kda
      .attn_output: d_inner, n_embd
    else
      .attn_q_a_norm?: n_lora_q
      .attn_kv_a_norm: n_lora_kv
      if has(.attn_q_a_norm)
        .attn_q_a: n_embd, n_lora_q
        .attn_q_b: n_lora_q, n_head * n_embd_head_k_mla
      else
        .attn_q: n_embd, n_head * n_embd_head_k_mla
      .attn_kv_a_mqa: n_embd, n_lora_kv + n_rot
      .attn_kv_b?: n_lora_kv, n_head * (n_embd_head_k_mla - n_rot + n_embd_head_v_mla)
      if !has(.attn_kv_b)
        .attn_k_b: n_embd_head_k_mla - n_rot, n_lora_kv, n_head
        .attn_v_b: n_lora_kv, n_embd_head_v_mla, n_head
      .attn_gate?: n_embd, n_head * n_embd_head_v_mla
      .attn_output: n_head * n_embd_head_v_mla, n_embd
    if i < n_layer_dense_lead
      ffn: n_embd, n_ff
    else
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias: n_expert
      experts: n_embd_latent, n_ff_exp, n_expert
      if n_expert_latent > 0
        .ffn_routed_down: n_embd, n_embd_latent
        .ffn_routed_up: n_embd_latent, n_embd
        .ffn_routed_norm?: n_embd_latent
      shared_expert?: n_embd, n_ff_exp * (n_expert_shared > 0 ? n_expert_shared : 1)
kimi-linear
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    let d_inner = n_embd_head_kda * n_head
    .attn_norm .ffn_norm: n_embd
    if is_recr[i]
      .ssm_conv1d_q .ssm_conv1d_k .ssm_conv1d_v: ssm_d_conv, 1, d_inner
      qkv: n_embd, d_inner, d_inner, d_inner
      .ssm_f_a .ssm_g_a: n_embd, n_embd_head_kda
      .ssm_f_b .ssm_g_b: n_embd_head_kda, d_inner
      .ssm_beta: n_embd, n_head
      .ssm_a!: 1, n_head
      .ssm_dt.bias: d_inner
      .ssm_norm: n_embd_head_kda
      .attn_output: d_inner, n_embd
    else
      .attn_q_a_norm?: n_lora_q
      .attn_kv_a_norm: n_lora_kv
      if has(.attn_q_a_norm)
        .attn_q_a: n_embd, n_lora_q
        .attn_q_b: n_lora_q, n_head * n_embd_head_k_mla
      else
        .attn_q: n_embd, n_head * n_embd_head_k_mla
      .attn_kv_a_mqa: n_embd, n_lora_kv + n_rot
      .attn_kv_b?: n_lora_kv, n_head * (n_embd_head_k_mla - n_rot + n_embd_head_v_mla)
      if !has(.attn_kv_b)
        .attn_k_b: n_embd_head_k_mla - n_rot, n_lora_kv, n_head
        .attn_v_b: n_lora_kv, n_embd_head_v_mla, n_head
      .attn_output: n_head * n_embd_head_v_mla, n_embd
    if i < n_layer_dense_lead
      ffn: n_embd, n_ff
    else
      .ffn_gate_inp: n_embd, n_expert
      experts: n_embd, n_ff_exp, n_expert
      shared_expert?: n_embd, n_ff_exp * (n_expert_shared > 0 ? n_expert_shared : 1)
      .exp_probs_b.bias: n_expert
minicpm3
  let n_embd_head_qk_nope = n_embd_head_k - n_rot
  embedding
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_q_a_norm: n_lora_q
    .attn_kv_a_norm: n_lora_kv
    .attn_q_a: n_embd, n_lora_q
    .attn_q_b: n_lora_q, n_head * n_embd_head_k
    .attn_kv_a_mqa: n_embd, n_lora_kv + (n_rot)
    .attn_kv_b: n_lora_kv, n_head * (n_embd_head_qk_nope + n_embd_head_v)
    .attn_output: n_head * ( n_embd_head_v), n_embd
    ffn: n_embd, n_ff
    rope_factors_long rope_factors_short?: n_rot/2
plm
  let n_embd_head_qk_nope = n_embd_head_k - n_rot
  token_embd token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_q: n_embd, n_embd_head_k * n_head
    .attn_kv_a_mqa: n_embd, n_lora_kv + (n_rot)
    .attn_kv_a_norm: n_lora_kv
    .attn_kv_b: n_lora_kv, n_head * (n_embd_head_qk_nope + n_embd_head_v)
    .attn_output: n_head * ( n_embd_head_v), n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
`;
