/** Models with latent attention, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const LATENT_ROWS = `
deepseek2 mistral4
  let n_embd_head_qk_nope = n_embd_head_k_mla - n_rot
  need n_embd_head_qk_nope >= 1
  embedding
  each 0..n_layer_all
    .attn_norm?(i < n_layer ? only_mtp : without_mtp): n_embd
    if n_lora_q > 0
      .attn_q_a_norm?(i < n_layer ? only_mtp : without_mtp): n_lora_q
    .attn_kv_a_norm?(i < n_layer ? only_mtp : without_mtp): n_lora_kv
    if n_lora_q > 0
      .attn_q_a?(i < n_layer ? only_mtp : without_mtp): n_embd, n_lora_q
      .attn_q_b?(i < n_layer ? only_mtp : without_mtp): n_lora_q, n_head * n_embd_head_k_mla
    else
      .attn_q?(i < n_layer ? only_mtp : without_mtp): n_embd, n_head * n_embd_head_k_mla
    .attn_kv_a_mqa?(i < n_layer ? only_mtp : without_mtp): n_embd, n_lora_kv + n_rot
    if is_mla
      .attn_k_b?(i < n_layer ? only_mtp : without_mtp): n_embd_head_qk_nope, n_lora_kv, n_head
      .attn_v_b?(i < n_layer ? only_mtp : without_mtp): n_lora_kv, n_embd_head_v_mla, n_head
    else
      .attn_kv_b?(i < n_layer ? only_mtp : without_mtp): n_lora_kv, n_head * (n_embd_head_qk_nope + n_embd_head_v_mla)
    .attn_output?(i < n_layer ? only_mtp : without_mtp): n_head * n_embd_head_v_mla, n_embd
    .ffn_norm?(i < n_layer ? only_mtp : without_mtp): n_embd
    if i < n_layer_dense_lead
      ffn?(i < n_layer ? only_mtp : without_mtp): n_embd, n_ff
    else
      .ffn_gate_inp?(i < n_layer ? only_mtp : without_mtp): n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      if n_expert == 0
        refuse n_expert must be > 0
      if n_expert_used == 0
        refuse n_expert_used must be > 0
      .ffn_down_exps?(i < n_layer ? only_mtp : without_mtp): n_ff_exp, n_embd, n_expert
      gate_up_exps?(i < n_layer ? only_mtp : 1): n_embd, n_ff_exp, n_expert
      shared_expert?(i < n_layer ? only_mtp : without_mtp): n_embd, n_ff_exp * n_expert_shared
    if i >= n_layer
      .nextn.eh_proj?(without_mtp): 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm?(without_mtp): n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.shared_head_norm?: n_embd
deepseek32
  if !is_mla
    refuse DEEPSEEK32 architecture requires MLA
  let n_embd_head_qk_nope = n_embd_head_k_mla - n_rot
  embedding
  each 0..n_layer_all
    let flags = (i >= n_layer) ? without_mtp : only_mtp
    .attn_norm .ffn_norm?(flags): n_embd
    .attn_q_a_norm?(flags): n_lora_q
    .attn_kv_a_norm?(flags): n_lora_kv
    .attn_q_a?(flags): n_embd, n_lora_q
    .attn_q_b?(flags): n_lora_q, n_head * n_embd_head_k_mla
    .attn_kv_a_mqa?(flags): n_embd, n_lora_kv + n_rot
    .attn_k_b?(flags): n_embd_head_qk_nope, n_lora_kv, n_head
    .attn_v_b?(flags): n_lora_kv, n_embd_head_v_mla, n_head
    .attn_output?(flags): n_head * n_embd_head_v_mla, n_embd
    .indexer.k_norm .indexer.k_norm.bias?(flags): indexer_head_size
    .indexer.proj?(flags): n_embd, indexer_n_head
    .indexer.attn_k?(flags): n_embd, indexer_head_size
    .indexer.attn_q_b?(flags): n_lora_q, indexer_n_head * indexer_head_size
    if i < n_layer_dense_lead
      ffn?(flags): n_embd, n_ff
    else
      .ffn_gate_inp?(flags): n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      if n_expert == 0
        refuse n_expert must be > 0
      if n_expert_used == 0
        refuse n_expert_used must be > 0
      experts?(flags): n_embd, n_ff_exp, n_expert
      shared_expert?(flags): n_embd, n_ff_exp * n_expert_shared
    if i >= n_layer
      .nextn.eh_proj?(flags): 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm?(flags): n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.shared_head_norm?: n_embd
glm-dsa
  if !is_mla
    refuse GLM_DSA architecture requires MLA
  let n_embd_head_qk_nope = n_embd_head_k_mla - n_rot
  embedding
  each 0..n_layer_all
    let flags = (i >= n_layer) ? without_mtp : only_mtp
    .attn_norm .ffn_norm?(flags): n_embd
    .attn_q_a_norm?(flags): n_lora_q
    .attn_kv_a_norm?(flags): n_lora_kv
    .attn_q_a?(flags): n_embd, n_lora_q
    .attn_q_b?(flags): n_lora_q, n_head * n_embd_head_k_mla
    .attn_kv_a_mqa?(flags): n_embd, n_lora_kv + n_rot
    .attn_k_b?(flags): n_embd_head_qk_nope, n_lora_kv, n_head
    .attn_v_b?(flags): n_lora_kv, n_embd_head_v_mla, n_head
    .attn_output?(flags): n_head * n_embd_head_v_mla, n_embd
    .indexer.k_norm .indexer.k_norm.bias?: indexer_head_size
    .indexer.proj?: n_embd, indexer_n_head
    .indexer.attn_k?: n_embd, indexer_head_size
    .indexer.attn_q_b?: n_lora_q, indexer_n_head * indexer_head_size
    if i < n_layer_dense_lead
      ffn?(flags): n_embd, n_ff
    else
      .ffn_gate_inp?(flags): n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      if n_expert == 0
        refuse n_expert must be > 0
      if n_expert_used == 0
        refuse n_expert_used must be > 0
      experts?(flags): n_embd, n_ff_exp, n_expert
      shared_expert?(flags): n_embd, n_ff_exp * n_expert_shared
    if i >= n_layer
      .nextn.eh_proj?(flags): 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm?(flags): n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.shared_head_norm?: n_embd
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
