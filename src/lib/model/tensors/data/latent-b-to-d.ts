/** Models with latent attention, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const LATENT_B_TO_D_ROWS = `
bailingmoe3
  embedding
  let d_inner = n_embd_head_kda * n_head
  each 0..n_layer
    .attn_norm?(only_mtp): n_embd
    if is_recr[i]
      .ssm_conv1d_q .ssm_conv1d_k .ssm_conv1d_v?(only_mtp): ssm_d_conv, 1, d_inner, 1
      qkv?(only_mtp): n_embd, d_inner, d_inner, d_inner
      .ssm_f_a .ssm_g_a?(only_mtp): n_embd, d_inner
      .ssm_beta?(only_mtp): n_embd, n_head
      .ssm_a!?(only_mtp): 1, n_head
      .ssm_dt.bias?(only_mtp): d_inner
      .ssm_norm?(only_mtp): n_embd_head_kda
      .attn_output?(only_mtp): d_inner, n_embd
    else
      if n_lora_q > 0
        .attn_q_a?(only_mtp): n_embd, n_lora_q
        .attn_q_a_norm?(only_mtp): n_lora_q
        .attn_q_b?(only_mtp): n_lora_q, n_head * n_embd_head_k_mla
      else
        .attn_q?(only_mtp): n_embd, n_head * n_embd_head_k_mla
      .attn_kv_a_mqa?(only_mtp): n_embd, n_lora_kv + n_rot
      .attn_kv_a_norm?(only_mtp): n_lora_kv
      .attn_k_b?(only_mtp): n_embd_head_k_mla - n_rot, n_lora_kv, n_head
      .attn_v_b?(only_mtp): n_lora_kv, n_embd_head_v_mla, n_head
      .attn_gate?(only_mtp): n_embd, n_head
      .attn_output?(only_mtp): n_head * n_embd_head_v_mla, n_embd
    .ffn_norm?(only_mtp): n_embd
    if i < n_layer_dense_lead
      ffn?(only_mtp): n_embd, n_ff
    else
      .ffn_gate_inp?(only_mtp): n_embd, n_expert
      .exp_probs_b.bias?(only_mtp): n_expert
      experts?(only_mtp): n_embd, n_ff_exp, n_expert
      let n_shared = n_expert_shared > 1 ? n_expert_shared : 1
      let n_ff_shexp = n_ff_shexp > 0 ? n_ff_shexp : n_ff_exp * n_shared
      shared_expert?(only_mtp): n_embd, n_ff_shexp
  each n_layer..n_layer_all
    .attn_norm?(without_mtp): n_embd
    if n_lora_q > 0
      .attn_q_a?(without_mtp): n_embd, n_lora_q
      .attn_q_a_norm?(without_mtp): n_lora_q
      .attn_q_b?(without_mtp): n_lora_q, n_head * n_embd_head_k_mla
    else
      .attn_q?(without_mtp): n_embd, n_head * n_embd_head_k_mla
    .attn_kv_a_mqa?(without_mtp): n_embd, n_lora_kv + n_rot
    .attn_kv_a_norm?(without_mtp): n_lora_kv
    .attn_k_b?(without_mtp): n_embd_head_k_mla - n_rot, n_lora_kv, n_head
    .attn_v_b?(without_mtp): n_lora_kv, n_embd_head_v_mla, n_head
    .attn_gate?(without_mtp): n_embd, n_head
    .attn_output?(without_mtp): n_head * n_embd_head_v_mla, n_embd
    .ffn_norm?(without_mtp): n_embd
    .ffn_gate_inp?(without_mtp): n_embd, n_expert
    .exp_probs_b.bias?(without_mtp): n_expert
    experts?(without_mtp): n_embd, n_ff_exp, n_expert
    let n_shared = n_expert_shared > 1 ? n_expert_shared : 1
    let n_ff_shexp = n_ff_shexp > 0 ? n_ff_shexp : n_ff_exp * n_shared
    shared_expert?(without_mtp): n_embd, n_ff_shexp
    .nextn.eh_proj?(without_mtp): 2 * n_embd, n_embd
    .nextn.enorm .nextn.hnorm .layer_output_norm?(without_mtp): n_embd
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
      experts_given
      .ffn_down_exps?(i < n_layer ? only_mtp : without_mtp): n_ff_exp, n_embd, n_expert
      gate_up_exps?(i < n_layer ? only_mtp : 1): n_embd, n_ff_exp, n_expert
      shared_expert?(i < n_layer ? only_mtp : without_mtp): n_embd, n_ff_exp * n_expert_shared
    if i >= n_layer
      nextn?(without_mtp): n_embd, n_vocab
deepseek32
  if !is_mla
    refuse DEEPSEEK32 architecture requires MLA
  let n_embd_head_qk_nope = n_embd_head_k_mla - n_rot
  embedding
  each 0..n_layer_all
    let flags = (i >= n_layer) ? without_mtp : only_mtp
    sparse_latent
    .indexer.k_norm .indexer.k_norm.bias?(flags): indexer_head_size
    .indexer.proj?(flags): n_embd, indexer_n_head
    .indexer.attn_k?(flags): n_embd, indexer_head_size
    .indexer.attn_q_b?(flags): n_lora_q, indexer_n_head * indexer_head_size
    sparse_latent_ffn
dots3note
  if !is_mla
    refuse DOTS3NOTE architecture requires MLA
  embedding
  each 0..n_layer_all
    let is_mtp = i >= n_layer
    let windowed = is_mtp || is_swa[i]
    let n_lora = windowed ? n_lora_kv_swa : n_lora_kv
    let head_k = windowed ? n_embd_head_k_mla_swa : n_embd_head_k_mla
    let head_v = windowed ? n_embd_head_v_mla_swa : n_embd_head_v_mla
    .attn_norm .ffn_norm?(is_mtp): n_embd
    .attn_q_a_norm?(is_mtp): n_lora_q
    .attn_kv_a_norm?(is_mtp): n_lora
    .attn_k_norm?(is_mtp): n_rot
    .attn_q_a?(is_mtp): n_embd, n_lora_q
    .attn_q_b?(is_mtp): n_lora_q, n_head[i] * head_k
    .attn_kv_a_mqa?(is_mtp): n_embd, n_lora + n_rot
    .attn_k_b?(is_mtp): head_k - n_rot, n_lora, n_head[i]
    .attn_v_b?(is_mtp): n_lora, head_v, n_head[i]
    .attn_output?(is_mtp): n_head[i] * head_v, n_embd
    .attn_gate?(is_mtp): n_embd, n_head[i]
    if !is_mtp && is_indexer_full[i]
      .indexer.k_norm .indexer.k_norm.bias: indexer_head_size
      .indexer.proj: n_embd, indexer_n_head
      .indexer.attn_k: n_embd, indexer_head_size
      .indexer.attn_q_b: n_lora_q, indexer_n_head * indexer_head_size
    if is_mtp || i < n_layer_dense_lead
      ffn?(is_mtp): n_embd, n_ff
    else
      if n_expert == 0 || n_expert_used == 0
        refuse n_expert and n_expert_used must be > 0
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias: n_expert
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_exp * n_expert_shared
    if is_mtp
      .nextn.eh_proj?: 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm .nextn.shared_head_norm?: n_embd
      .nextn.embed_tokens?: n_embd, n_vocab
`;
