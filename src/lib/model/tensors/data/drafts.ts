/** Drafts, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const DRAFTS_ROWS = `
dflash
  if n_target_layers == 0
    refuse DFlash model requires 'target_layers' in GGUF metadata
  if !knows_hidden_act
    refuse unsupported DFlash hidden activation
  token_embd?: n_embd, n_vocab
  let n_vocab_draft = has(d2t!) ? dim0(d2t!) : n_vocab
  d2t!?: n_vocab_draft
  if has(markov_w1)
    markov_w1: dim0(markov_w1), n_vocab
    markov_w2: dim0(markov_w1), n_vocab_draft
    markov_w2.scale?: 1
    conf_proj?: n_embd + dim0(markov_w1), 1
    conf_proj.bias?: 1
  if has(selector_hidden)
    if selector_rank == 0 || block_size == 0 || selector_top_k == 0 || conv_kernel_size == 0 || conv_group_size == 0
      refuse DFlash2 model is missing conv/selector metadata
    if n_embd % conv_group_size != 0
      refuse DFlash2 hidden size must be divisible by conv_group_size
    if n_embd < selector_top_k * (selector_top_k + 1)
      refuse DFlash2 hidden size is too small for the selector lattice
    selector_predecessor selector_successor: selector_rank, n_vocab
    selector_hidden: n_embd, selector_rank
  fc: n_target_layers * n_embd, n_embd
  fc.scale?: 1
  enc.output_norm output_norm: n_embd
  output?: n_embd, n_vocab_draft
  if dsv4_hc_mult > 0
    let hc_dim = dsv4_hc_mult * n_embd
    let hc_mix_dim = (2 + dsv4_hc_mult) * dsv4_hc_mult
    need dsv4_o_group_count > 0
    if expert_gating_func != 4
      refuse DSpark DSV4 draft expects sqrtsoftplus MoE scoring
    each 0..n_layer_all
      if compress_ratio[i] != 0
        refuse DSpark DSV4 draft expects uncompressed attention on all stages
    need n_swa > 0
    output_hc_fn: hc_dim, dsv4_hc_mult
    output_hc_base: dsv4_hc_mult
    output_hc_scale: 1
    each 0..n_layer
      .attn_norm .ffn_norm: n_embd
      .attn_sinks: n_head
      .attn_q_a: n_embd, n_lora_q
      .attn_q_a_norm: n_lora_q
      .attn_q_b: n_lora_q, n_head * n_embd_head_k
      .attn_kv: n_embd, n_embd_head_k
      .attn_kv_a_norm: n_embd_head_k
      .attn_output_a~: n_head * n_embd_head_k / dsv4_o_group_count, dsv4_o_lora_rank, dsv4_o_group_count
      .attn_output_b: dsv4_o_group_count * dsv4_o_lora_rank, n_embd
      .hc_attn_fn .hc_ffn_fn: hc_dim, hc_mix_dim
      .hc_attn_base .hc_ffn_base: hc_mix_dim
      .hc_attn_scale .hc_ffn_scale: 3
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias: n_expert
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_exp * n_expert_shared
  else
    each 0..n_layer
      .attn_norm .ffn_norm: n_embd
      .attn_q: n_embd, n_embd_head_k * n_head
      .attn_k: n_embd, n_embd_k_gqa
      .attn_v?: n_embd, n_embd_v_gqa
      .attn_output: n_embd_head_k * n_head, n_embd
      .attn_q_norm .attn_k_norm: n_embd_head_k
      .post_attention_norm .post_ffw_norm?: n_embd
      .layer_output_scale?: 1
      rope_freqs?: n_embd_head_k/2
      .attn_sinks?: n_head
      ffn: n_embd, n_ff
      if has(selector_hidden)
        .attn_conv_base! .ffn_conv_base!: n_embd, conv_kernel_size, 2
        .attn_conv_proj .ffn_conv_proj: n_embd, 2 * conv_kernel_size * (n_embd / conv_group_size)
eagle3
  if n_target_layers != 3
    refuse EAGLE3 requires exactly 3 entries in 'extract_layers'
  let n_embd_inp = n_target_layers * n_embd_tgt
  d2t!?: dim0(d2t!)
  fc: n_embd_inp, n_embd
  if norm_before_fc
    enc.output_norm: n_embd_inp
  output_norm: n_embd
  output?: n_embd, has(d2t!) ? dim0(d2t!) : n_vocab
  token_embd?: n_embd, rows(token_embd)
  each 0..n_layer
    .attn_norm .attn_norm_2: n_embd
    .attn_q: 2 * n_embd, n_embd_head_k * n_head
    .attn_k: 2 * n_embd, n_embd_k_gqa
    .attn_v: 2 * n_embd, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
    rope_freqs?: n_rot/2
    if has(rope_freqs) && i > 0
      refuse done_getting_tensors: too many tensors created, since rope_freqs is counted for each block
`;
