/** Models with recurrent layers, and hybrids, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const RECURRENT_F_TO_M_ROWS = `
falcon-h1
  let ssm_conv_dim = ssm_d_inner + 2 * ssm_n_group * ssm_d_state
  let ssm_projection_size = ssm_d_inner + ssm_conv_dim + ssm_dt_rank
  token_embd: n_embd, n_vocab
  output?: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .ssm_in: n_embd, ssm_projection_size
    .ssm_conv1d: ssm_d_conv, ssm_conv_dim
    .ssm_conv1d.bias?: ssm_conv_dim
    .ssm_dt.bias: ssm_dt_rank
    .ssm_a! .ssm_d!: 1, ssm_dt_rank
    .ssm_norm?: ssm_d_inner / ssm_n_group, ssm_n_group
    .ssm_out: ssm_d_inner, n_embd
    attention: n_embd, n_embd_head_k * n_head, n_head_kv * n_embd_head_k, n_head_kv * n_embd_head_v
    .attn_output.bias?: n_embd
    .attn_norm .ffn_norm!: n_embd
    rope_freqs?: n_rot/2
    ffn: n_embd, n_ff
    .ffn_gate.bias .ffn_up.bias?: n_ff
    .ffn_down.bias?: n_embd
granitehybrid
  let d_in_proj = 2*ssm_d_inner + 2*ssm_n_group*ssm_d_state + ssm_dt_rank
  need 2 * n_embd == ssm_d_inner
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    if is_recr[i]
      .ssm_in: n_embd, d_in_proj
      .ssm_conv1d: ssm_d_conv, ssm_d_inner + 2*ssm_n_group*ssm_d_state
      .ssm_conv1d.bias?: ssm_d_inner + 2*ssm_n_group*ssm_d_state
      .ssm_dt.bias: ssm_dt_rank
      .ssm_a! .ssm_d!: 1, ssm_dt_rank
      .ssm_norm: ssm_d_inner / ssm_n_group, ssm_n_group
      .ssm_out: ssm_d_inner, n_embd
    else
      attention: n_embd, n_embd_head_k * n_head[i], n_embd_k_gqa[i], n_embd_v_gqa[i]
      .attn_output.bias?: n_embd
    if n_expert > 0
      .ffn_norm: n_embd
      rope_freqs?: n_rot/2
      .ffn_gate_inp: n_embd, n_expert
      .ffn_gate_exps?: n_embd, n_ff, n_expert
      .ffn_down_exps: n_ff, n_embd, n_expert
      .ffn_up_exps: n_embd, n_ff, n_expert
      if n_ff_shexp > 0
        shared_expert: n_embd, n_ff_shexp
    else
      .ffn_norm: n_embd
      rope_freqs?: n_rot/2
      ffn: n_embd, n_ff
      .ffn_gate.bias .ffn_up.bias?: n_ff
      .ffn_down.bias?: n_embd
jamba
  need 2 * n_embd == ssm_d_inner
  embedding
  each 0..n_layer
    let n_head_kv = n_head_kv[i]
    .attn_norm: n_embd
    if n_head_kv == 0
      .ssm_in: n_embd, 2*ssm_d_inner
      .ssm_conv1d: ssm_d_conv, ssm_d_inner
      .ssm_conv1d.bias .ssm_dt.bias .ssm_d!: ssm_d_inner
      .ssm_x: ssm_d_inner, ssm_dt_rank + 2*ssm_d_state
      .ssm_dt_norm: ssm_dt_rank
      .ssm_dt: ssm_dt_rank, ssm_d_inner
      .ssm_b_norm .ssm_c_norm: ssm_d_state
      .ssm_a!: ssm_d_state, ssm_d_inner
      .ssm_out: ssm_d_inner, n_embd
    else
      attention: n_embd, n_embd, n_embd_v_gqa[i], n_embd_v_gqa[i]
    .ffn_norm: n_embd
    .ffn_gate_inp?: n_embd, n_expert
    if has(.ffn_gate_inp.weight)
      experts: n_embd, n_ff, n_expert
    else
      ffn: n_embd, n_ff
lfm2
  token_embd: n_embd, n_vocab
  token_embd_norm: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    let is_moe_layer = i >= n_layer
    short_convolutions
  dense_2?: n_embd, n_embd_out
  dense_2.bias?: n_embd_out
lfm2moe
  token_embd: n_embd, n_vocab
  token_embd_norm: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    let is_moe_layer = i >= n_layer_dense_lead
    short_convolutions
  dense_2?: n_embd, n_embd_out
  dense_2.bias?: n_embd_out
mamba
  if 2 * n_embd != ssm_d_inner
    refuse only an expansion factor of 2 is supported for now
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    .ssm_in: n_embd, 2*ssm_d_inner
    .ssm_conv1d: ssm_d_conv, ssm_d_inner
    .ssm_conv1d.bias .ssm_dt.bias .ssm_d!: ssm_d_inner
    .ssm_x: ssm_d_inner, ssm_dt_rank + 2*ssm_d_state
    .ssm_dt: ssm_dt_rank, ssm_d_inner
    .ssm_a!: ssm_d_state, ssm_d_inner
    .ssm_out: ssm_d_inner, n_embd
mamba2
  let conv_dim = ssm_d_inner + 2 * ssm_n_group * ssm_d_state
  let d_in_proj = ssm_d_inner + conv_dim + ssm_dt_rank
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    .ssm_in: n_embd, d_in_proj
    .ssm_conv1d: ssm_d_conv, ssm_d_inner + 2*ssm_n_group*ssm_d_state
    .ssm_conv1d.bias: ssm_d_inner + 2*ssm_n_group*ssm_d_state
    .ssm_dt.bias: ssm_dt_rank
    .ssm_a! .ssm_d!: 1, ssm_dt_rank
    .ssm_norm: ssm_d_inner / ssm_n_group, ssm_n_group
    .ssm_out: ssm_d_inner, n_embd
`;
