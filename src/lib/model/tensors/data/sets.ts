/**
 * Rows that several architectures load alike, by name; `$1` is the first number given. What may be missing of the set, may be missing of
 * each row that does not say so itself (`src/models/*.cpp` and the helpers of the loader, llama.cpp v0.5.0).
 */
export const SET_ROWS = `
embedding
  token_embd: n_embd, n_vocab
  output_norm: n_embd
  output?: n_embd, n_vocab
ffn
  .ffn_gate .ffn_up: $1, $2
  .ffn_down: $2, $1
experts
  .ffn_gate_exps .ffn_up_exps: $1, $2, $3
  .ffn_down_exps: $2, $1, $3
shared_expert
  .ffn_gate_shexp .ffn_up_shexp: $1, $2
  .ffn_down_shexp: $2, $1
gate_up_exps
  if has(.ffn_gate_up_exps)
    .ffn_gate_up_exps: $1, ($2) * 2, $3
  else
    .ffn_gate_exps .ffn_up_exps: $1, $2, $3
qkv
  if has(.attn_qkv)
    .attn_qkv: $1, ($2) + ($3) + ($4)
    .attn_qkv.bias?: ($2) + ($3) + ($4)
  else
    .attn_q: $1, $2
    .attn_k: $1, $3
    .attn_v: $1, $4
  if !has(.attn_qkv) || !has(.attn_qkv.bias)
    .attn_q.bias?: $2
    .attn_k.bias?: $3
    .attn_v.bias?: $4
attention
  qkv: $1, $2, $3, $4
  .attn_output: $2, $1
rope_factors
  if long_rope
    rope_factors_long rope_factors_short?: n_rot/2
  else
    rope_freqs?: n_rot/2
experts_given
  if n_expert == 0
    refuse n_expert must be > 0
  if n_expert_used == 0
    refuse n_expert_used must be > 0
ffn_or_experts
  if n_expert == 0
    ffn: n_embd, n_ff
    .ffn_gate.bias .ffn_up.bias?: n_ff
    .ffn_down.bias?: n_embd
  else
    .ffn_gate_inp: n_embd, n_expert
    .ffn_gate_exps?: n_embd, n_ff, n_expert
    .ffn_down_exps: n_ff, n_embd, n_expert
    .ffn_up_exps: n_embd, n_ff, n_expert
nextn
  .nextn.eh_proj: 2 * $1, $1
  .nextn.enorm .nextn.hnorm: $1
  .nextn.embed_tokens .nextn.shared_head_head?: $1, $2
  .nextn.shared_head_norm?: $1
short_convolutions
  .ffn_norm: n_embd
  if is_moe_layer
    need n_expert && n_expert_used
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff_exp, n_expert
    .exp_probs_b.bias: n_expert
  else
    ffn: n_embd, n_ff
  .attn_norm: n_embd
  if !is_recr[i]
    .attn_q_norm .attn_k_norm: n_embd_head_k
    need n_embd_v_gqa == n_embd_k_gqa
    need n_embd_v_gqa[i] == n_embd_k_gqa[i]
    attention: n_embd, n_embd, n_embd_k_gqa[i], n_embd_v_gqa[i]
  else
    .shortconv.conv: n_shortconv_l_cache, n_embd
    .shortconv.in_proj: n_embd, 3 * n_embd
    .shortconv.out_proj: n_embd, n_embd
gated_delta_net
  let key_dim = ssm_d_state * ssm_n_group
  let value_dim = ssm_d_state * ssm_dt_rank
  let conv_dim = key_dim * 2 + value_dim
  .attn_norm .post_attention_norm?(only_mtp): n_embd
  if !is_recr[i]
    qkv?(only_mtp): n_embd, n_embd_head_k * n_head * 2, n_embd_k_gqa, n_embd_v_gqa
    .attn_output?(only_mtp): n_embd_head_k * n_head, n_embd
    .attn_q_norm .attn_k_norm?(only_mtp): n_embd_head_k
  else
    .attn_qkv?: n_embd, key_dim * 2 + value_dim
    .attn_gate?: n_embd, value_dim
    .ssm_conv1d?(only_mtp): ssm_d_conv, conv_dim
    .ssm_dt.bias .ssm_a!?(only_mtp): ssm_dt_rank
    .ssm_beta .ssm_alpha?(only_mtp): n_embd, ssm_dt_rank
    .ssm_norm?(only_mtp): ssm_d_state
    .ssm_out?(only_mtp): value_dim, n_embd
gated_attention_ahead
  .attn_norm .post_attention_norm: n_embd
  qkv?: n_embd, n_embd_head_k * n_head * 2, n_embd_k_gqa, n_embd_v_gqa
  .attn_output: n_embd_head_k * n_head, n_embd
  .attn_q_norm .attn_k_norm: n_embd_head_k
t5_encoder
  enc.blk.*.attn_norm enc.blk.*.ffn_norm: n_embd
  enc.blk.*.attn_rel_b?: n_head, n_rel_attn_bkts
  enc.blk.*.attn_q enc.blk.*.attn_k: n_embd, n_embd_k_gqa
  enc.blk.*.attn_v: n_embd, n_embd_v_gqa
  enc.blk.*.attn_o: n_embd_v_gqa, n_embd
  enc.blk.*.ffn_gate?: n_embd, n_ff
  enc.blk.*.ffn_down: n_ff, n_embd
  enc.blk.*.ffn_up: n_embd, n_ff
sparse_latent
  .attn_norm .ffn_norm?(flags): n_embd
  .attn_q_a_norm?(flags): n_lora_q
  .attn_kv_a_norm?(flags): n_lora_kv
  .attn_q_a?(flags): n_embd, n_lora_q
  .attn_q_b?(flags): n_lora_q, n_head * n_embd_head_k_mla
  .attn_kv_a_mqa?(flags): n_embd, n_lora_kv + n_rot
  .attn_k_b?(flags): n_embd_head_qk_nope, n_lora_kv, n_head
  .attn_v_b?(flags): n_lora_kv, n_embd_head_v_mla, n_head
  .attn_output?(flags): n_head * n_embd_head_v_mla, n_embd
sparse_latent_ffn
  if i < n_layer_dense_lead
    ffn?(flags): n_embd, n_ff
  else
    .ffn_gate_inp?(flags): n_embd, n_expert
    .exp_probs_b.bias?: n_expert
    experts_given
    experts?(flags): n_embd, n_ff_exp, n_expert
    shared_expert?(flags): n_embd, n_ff_exp * n_expert_shared
  if i >= n_layer
    nextn?(flags): n_embd, n_vocab
`;
