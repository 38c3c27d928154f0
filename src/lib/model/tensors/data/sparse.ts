/**
 * Models with attention over compressed keys and with hyper-connections, and what each loads: `load_arch_tensors` in
 * `src/models/*.cpp` (llama.cpp v0.5.0).
 */
export const SPARSE_ROWS = `
deepseek4
  let hc_dim = dsv4_hc_mult * n_embd
  let hc_mix_dim = (2 + dsv4_hc_mult) * dsv4_hc_mult
  need dsv4_hc_mult == 4
  need dsv4_o_group_count > 0 && n_head % dsv4_o_group_count == 0
  if expert_gating_func != 4
    refuse DeepSeek-V4 loader currently expects sqrtsoftplus MoE scoring
  if n_compress_ratios < n_layer_all
    refuse DeepSeek-V4 compress_ratios is shorter than block_count
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  output_hc_fn: hc_dim, dsv4_hc_mult
  output_hc_base: dsv4_hc_mult
  output_hc_scale: 1
  each 0..n_layer_all
    let flags = (i >= n_layer) ? without_mtp : only_mtp
    let ratio = compress_ratio[i]
    .attn_norm .ffn_norm?(flags): n_embd
    .attn_sinks?(flags): n_head
    .attn_q_a?(flags): n_embd, n_lora_q
    .attn_q_a_norm?(flags): n_lora_q
    .attn_q_b?(flags): n_lora_q, n_head * n_embd_head_k
    .attn_kv?(flags): n_embd, n_embd_head_k
    .attn_kv_a_norm?(flags): n_embd_head_k
    .attn_output_a?(flags)~: n_head * n_embd_head_k / dsv4_o_group_count, dsv4_o_lora_rank, dsv4_o_group_count
    .attn_output_b?(flags): dsv4_o_group_count * dsv4_o_lora_rank, n_embd
    .hc_attn_fn .hc_ffn_fn?(flags): hc_dim, hc_mix_dim
    .hc_attn_base .hc_ffn_base?(flags): hc_mix_dim
    .hc_attn_scale .hc_ffn_scale?(flags): 3
    if ratio != 0
      let coff = ratio == 4 ? 2 : 1
      .attn_compressor_kv .attn_compressor_gate?(flags): n_embd, coff * n_embd_head_k
      .attn_compressor_ape?(flags): coff * n_embd_head_k, ratio
      .attn_compressor_norm?(flags): n_embd_head_k
      if ratio == 4
        need indexer_head_size >= n_rot
        .indexer.proj?(flags): n_embd, indexer_n_head
        .indexer.attn_q_b?(flags): n_lora_q, indexer_n_head * indexer_head_size
        .indexer_compressor_kv .indexer_compressor_gate?(flags): n_embd, 2 * indexer_head_size
        .indexer_compressor_ape?(flags): 2 * indexer_head_size, ratio
        .indexer_compressor_norm?(flags): indexer_head_size
      else
        if ratio != 128
          refuse DeepSeek-V4 loader only supports compression ratios 0, 4, and 128
    .ffn_gate_inp?(flags): n_embd, n_expert
    if i < dsv4_hash_layer_count
      .ffn_gate_tid2eid?(flags): n_expert_used, n_vocab
    else
      .exp_probs_b.bias?(flags): n_expert
    .exp_probs_b_vl.bias?: n_expert
    experts?(flags): n_embd, n_ff_exp, n_expert
    shared_expert?(flags): n_embd, n_ff_exp * n_expert_shared
    if i >= n_layer
      nextn?(flags): n_embd, n_vocab
qwen4exp
  need dsv4_hc_mult > 1
  need hc_low_rank > 0
  need ssm_d_conv > 0 && ssm_d_inner > 0 && ssm_d_state > 0 && ssm_dt_rank > 0 && ssm_n_group > 0
  need indexer_n_head > 0 && indexer_head_size > 0 && indexer_top_k > 0
  let hc_dim = dsv4_hc_mult * n_embd
  token_embd: n_embd, n_vocab
  output?: n_embd, n_vocab
  output_hc_norm~: n_embd, dsv4_hc_mult
  output_hc_down: hc_dim, hc_low_rank
  output_hc_up: hc_low_rank, hc_dim
  if n_ple_layers > 1
    refuse qwen4exp.ple.layers lists several layers, but only one PLE layer is supported
  if n_ple_layers > 0
    per_layer_token_embd: n_embd_per_layer, rows(per_layer_token_embd)
    if rows(per_layer_token_embd) < n_ple_rows
      refuse per_layer_token_embd.weight has too few rows for the PLE head ranges
  each 0..n_layer
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff
    let key_dim = ssm_d_state * ssm_n_group
    let value_dim = ssm_d_state * ssm_dt_rank
    .hc_attn_norm .hc_ffn_norm~: n_embd, dsv4_hc_mult
    .hc_attn_down .hc_ffn_down: hc_dim, hc_low_rank
    .hc_attn_up .hc_ffn_up: hc_low_rank, hc_dim
    .hc_attn_inject .hc_ffn_inject: hc_dim, dsv4_hc_mult
    if !is_recr[i]
      qkv: n_embd, n_embd_head_k * n_head * 2, n_embd_k_gqa, n_embd_v_gqa
      .attn_output: n_embd_head_k * n_head, n_embd
      .attn_q_norm .attn_k_norm: n_embd_head_k
      .indexer.q_proj: n_embd, indexer_n_head * indexer_head_size
      .indexer.k_proj: n_embd, indexer_head_size
      .indexer.q_norm .indexer.k_norm: indexer_head_size
    else
      .attn_qkv: n_embd, key_dim * 2 + value_dim
      .attn_gate: n_embd, value_dim
      .ssm_conv1d: ssm_d_conv, key_dim * 2 + value_dim
      .ssm_dt.bias .ssm_a!: ssm_dt_rank
      .ssm_beta .ssm_alpha: n_embd, ssm_dt_rank
      .ssm_norm: ssm_d_state
      .ssm_out: value_dim, n_embd
    if is_ple[i]
      if !is_recr[i]
        refuse the PLE layer is not a linear attention layer
      .ple_key: n_embd, hc_dim
      .ple_value: n_embd, n_embd
      .ple_norm_key .ple_norm_query .ple_norm_conv~: n_embd, dsv4_hc_mult
      .ple_conv1d: ple_conv_kernel, hc_dim
    .ffn_gate_inp: n_embd, n_expert
    .ffn_down_exps: n_ff_exp, n_embd, n_expert
    gate_up_exps: n_embd, n_ff_exp, n_expert
    .ffn_gate_inp_shexp: n_embd
    shared_expert: n_embd, n_ff_shexp
`;
