/**
 * Models with attention over compressed keys and with hyper-connections, and what each loads: `load_arch_tensors` in
 * `src/models/*.cpp` (llama.cpp v0.5.0).
 */
export const SPARSE_ROWS = `
deepseek4
  let hc_dim = dsv4_hc_mult * n_embd
  let hc_mix_dim = (2 + dsv4_hc_mult) * dsv4_hc_mult
  need dsv4_hc_mult == 4
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
      .nextn.eh_proj?(flags): 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm?(flags): n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.shared_head_norm?: n_embd
`;
