/** Models with recurrent layers, and hybrids, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const RECURRENT_N_TO_Q_ROWS = `
nemotron_h nemotron_h_moe
  let d_in_proj = 2*ssm_d_inner + 2*ssm_n_group*ssm_d_state + ssm_dt_rank
  let moe_n_embd = moe_latent_size > 0 ? moe_latent_size : n_embd
  embedding
  each 0..n_layer
    .attn_norm?(only_mtp): n_embd
    if is_recr[i]
      .ssm_in?(only_mtp): n_embd, d_in_proj
      .ssm_conv1d?(only_mtp): ssm_d_conv, ssm_d_inner + 2*ssm_n_group*ssm_d_state
      .ssm_conv1d.bias?: ssm_d_inner + 2*ssm_n_group*ssm_d_state
      .ssm_dt.bias?(only_mtp): ssm_dt_rank
      .ssm_a! .ssm_d!?(only_mtp): 1, ssm_dt_rank
      .ssm_norm?(only_mtp): ssm_d_inner / ssm_n_group, ssm_n_group
      .ssm_out?(only_mtp): ssm_d_inner, n_embd
    else
      if n_ff[i] == 0
        let n_head_i = n_head[i]
        let n_embd_k_gqa_i = n_embd_k_gqa[i]
        let n_embd_v_gqa_i = n_embd_v_gqa[i]
        attention?(only_mtp): n_embd, n_embd_head_k * n_head_i, n_embd_k_gqa_i, n_embd_v_gqa_i
        .attn_output.bias?: n_embd
      else
        if n_expert != 0
          let n_ff_exp_i = n_ff_exp[i] ? n_ff_exp[i] : n_ff[i] / n_expert_used[i]
          if has(.ffn_gate_inp) && rows(.ffn_gate_inp) > n_expert
            refuse Invalid per-layer Nemotron expert count
          let n_expert = has(.ffn_gate_inp) ? rows(.ffn_gate_inp) : n_expert
          need n_expert >= n_expert_used[i]
          .ffn_gate_inp?(only_mtp): n_embd, n_expert
          .exp_probs_b.bias?(only_mtp): n_expert
          .ffn_latent_down?: n_embd, moe_n_embd
          .ffn_latent_up?: moe_n_embd, n_embd
          .ffn_down_exps?(only_mtp): n_ff_exp_i, moe_n_embd, n_expert
          .ffn_up_exps?(only_mtp): moe_n_embd, n_ff_exp_i, n_expert
          .ffn_down_shexp?(only_mtp): n_ff_shexp, n_embd
          .ffn_up_shexp?(only_mtp): n_embd, n_ff_shexp
        else
          .ffn_down?(only_mtp): n_ff[i], n_embd
          .ffn_up?(only_mtp): n_embd, n_ff[i]
          .ffn_down.bias?: n_embd
          .ffn_up.bias?: n_ff[i]
  each n_layer..n_layer_all
    let n_head_i = n_head[i]
    let n_embd_k_gqa_i = n_embd_k_gqa[i]
    let n_embd_v_gqa_i = n_embd_v_gqa[i]
    let n_ff_exp_i = n_ff_exp[i]
    if n_ff_exp_i == 0 && n_expert_used[i] == 0
      refuse a layer declares neither expert_feed_forward_length nor expert_used_count
    let n_ff_exp = n_ff_exp_i ? n_ff_exp_i : n_ff / n_expert_used[i]
    .nextn.enorm .nextn.hnorm .nextn.shared_head_norm .attn_norm: n_embd
    .nextn.eh_proj: 2*n_embd, n_embd
    qkv?: n_embd, n_embd_head_k * n_head_i, n_embd_k_gqa_i, n_embd_v_gqa_i
    .attn_output: n_embd_head_k * n_head_i, n_embd
    .attn_output.bias?: n_embd
    .post_attention_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    .exp_probs_b.bias: n_expert
    .ffn_latent_down?: n_embd, moe_n_embd
    .ffn_latent_up?: moe_n_embd, n_embd
    .ffn_down_exps: n_ff_exp, moe_n_embd, n_expert
    .ffn_up_exps: moe_n_embd, n_ff_exp, n_expert
    .ffn_down_shexp: n_ff_shexp, n_embd
    .ffn_up_shexp: n_embd, n_ff_shexp
plamo2
  let dt_dim = n_embd / 16 > 64 ? n_embd / 16 : 64
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    if is_recr[i]
      .ssm_in: n_embd, 2 * ssm_d_inner
      .ssm_conv1d: ssm_d_conv, ssm_d_inner
      .ssm_x: ssm_d_inner, dt_dim + 2*ssm_d_state
      .ssm_dt: dt_dim, ssm_dt_rank
      .ssm_dt.bias .ssm_a! .ssm_d!: ssm_dt_rank
      .ssm_out: ssm_d_inner, n_embd
      .ssm_dt_norm!: dt_dim
      .ssm_b_norm! .ssm_c_norm!: ssm_d_state
    else
      let q_proj_dim = n_head[i] * n_embd_head_k
      let k_proj_dim = n_head_kv[i] * n_embd_head_k
      let v_proj_dim = n_head_kv[i] * n_embd_head_v
      .attn_qkv: n_embd, q_proj_dim + k_proj_dim + v_proj_dim
      .attn_q_norm: n_embd_head_k, n_head[i]
      .attn_k_norm: n_embd_head_k, n_head_kv[i]
      .attn_output: n_head[i] * n_embd_head_v, n_embd
    .post_attention_norm! .ffn_norm .post_ffw_norm!: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff * 2
qwen35
  embedding
  cls.output?: n_embd, n_embd_out
  cls.output.bias?: n_embd_out
  each 0..n_layer
    gated_delta_net
    ffn?(only_mtp): n_embd, n_ff
  each n_layer..n_layer_all
    gated_attention_ahead
    ffn: n_embd, n_ff
    nextn: n_embd, n_vocab
qwen35moe
  embedding
  each 0..n_layer
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff
    gated_delta_net
    .ffn_gate_inp?(only_mtp): n_embd, n_expert
    .ffn_down_exps?(only_mtp): n_ff_exp, n_embd, n_expert
    gate_up_exps?(only_mtp): n_embd, n_ff_exp, n_expert
    .ffn_gate_inp_shexp?(only_mtp): n_embd
    shared_expert?(only_mtp): n_embd, n_ff_shexp
  each n_layer..n_layer_all
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff
    gated_attention_ahead
    .ffn_gate_inp: n_embd, n_expert
    .ffn_down_exps: n_ff_exp, n_embd, n_expert
    gate_up_exps?: n_embd, n_ff_exp, n_expert
    .ffn_gate_inp_shexp: n_embd
    shared_expert: n_embd, n_ff_shexp
    nextn: n_embd, n_vocab
qwen3next
  if n_expert == 0
    refuse model cannot have zero experts
  embedding
  let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
  let key_dim = ssm_d_state * ssm_n_group
  let value_dim = ssm_d_state * ssm_dt_rank
  let conv_dim = key_dim * 2 + value_dim
  let qkvz_dim = key_dim * 2 + value_dim * 2
  let ba_dim = ssm_dt_rank * 2
  each 0..n_layer
    let n_ff_shexp = n_ff_shexp > 0 ? n_ff_shexp : n_ff[i]
    .attn_norm .post_attention_norm?(only_mtp): n_embd
    if !is_recr[i]
      qkv?(only_mtp): n_embd, n_embd_head_k * n_head * 2, n_embd_k_gqa, n_embd_v_gqa
      .attn_output?(only_mtp): n_embd_head_k * n_head, n_embd
      .attn_q_norm .attn_k_norm?(only_mtp): n_embd_head_k
    else
      .ssm_in?: n_embd, qkvz_dim
      .attn_qkv?: n_embd, key_dim * 2 + value_dim
      .attn_gate?: n_embd, value_dim
      .ssm_conv1d?(only_mtp): ssm_d_conv, conv_dim
      .ssm_dt.bias .ssm_a!?(only_mtp): ssm_dt_rank
      .ssm_ba?(only_mtp): n_embd, ba_dim
      .ssm_norm?(only_mtp): ssm_d_state
      .ssm_out?(only_mtp): value_dim, n_embd
    .ffn_gate_inp?(only_mtp): n_embd, n_expert
    .ffn_down_exps?(only_mtp): n_ff_exp, n_embd, n_expert
    gate_up_exps?(only_mtp): n_embd, n_ff_exp, n_expert
    .ffn_gate_inp_shexp?(only_mtp): n_embd
    shared_expert?(only_mtp): n_embd, n_ff_shexp
  each n_layer..n_layer_all
    let n_ff_shexp = n_ff_shexp > 0 ? n_ff_shexp : n_ff[i]
    .attn_norm .post_attention_norm: n_embd
    if !is_recr[i]
      qkv?: n_embd, n_embd_head_k * n_head * 2, n_embd_k_gqa, n_embd_v_gqa
      .attn_output: n_embd_head_k * n_head, n_embd
      .attn_q_norm .attn_k_norm: n_embd_head_k
    else
      .ssm_in?: n_embd, qkvz_dim
      .attn_qkv?: n_embd, key_dim * 2 + value_dim
      .attn_gate?: n_embd, value_dim
      .ssm_conv1d: ssm_d_conv, conv_dim
      .ssm_dt.bias .ssm_a!: ssm_dt_rank
      .ssm_ba: n_embd, ba_dim
      .ssm_norm: ssm_d_state
      .ssm_out: value_dim, n_embd
    .ffn_gate_inp: n_embd, n_expert
    .ffn_down_exps: n_ff_exp, n_embd, n_expert
    gate_up_exps?: n_embd, n_ff_exp, n_expert
    .ffn_gate_inp_shexp: n_embd
    shared_expert: n_embd, n_ff_shexp
    nextn: n_embd, n_vocab
`;
