/** Models that have experts, or may have, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const EXPERTS_A_TO_E_ROWS = `
afmoe
  let n_ff_shexp = 0
  embedding
  each 0..n_layer
    .attn_norm .post_attention_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .attn_gate: n_embd, n_embd_head_k * n_head
    .ffn_norm .post_ffw_norm: n_embd
    if i >= n_layer_dense_lead
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias: n_expert
      experts: n_embd, n_ff_exp, n_expert
      if n_expert_shared > 0
        let n_ff_shexp = n_ff_exp * n_expert_shared
        shared_expert: n_embd, n_ff_shexp
    else
      ffn: n_embd, n_ff
arctic
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    ffn: n_embd, n_embd
    .ffn_gate_inp: n_embd, n_expert
    .ffn_norm_exps: n_embd
    .ffn_gate_exps?(false): n_embd, n_ff, n_expert
    .ffn_down_exps: n_ff, n_embd, n_expert
    .ffn_up_exps: n_embd, n_ff, n_expert
bailingmoe
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_head * n_rot, n_head_kv * n_rot, n_head_kv * n_rot
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    experts_given
    experts: n_embd, n_ff_exp, n_expert
    shared_expert: n_embd, n_ff_exp * n_expert_shared
bailingmoe2
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  need n_expert > 0
  need n_expert_used > 0
  each 0..n_layer_all
    .attn_norm .ffn_norm: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_q_norm .attn_k_norm: n_embd_head_k
    if i >= n_layer_dense_lead
      let n_ff_shexp = (n_ff_shexp ? n_ff_shexp : n_ff_exp) * n_expert_shared
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_shexp
    else
      ffn: n_embd, n_ff
    if i >= n_layer
      .nextn.eh_proj: 2 * n_embd, n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.enorm .nextn.hnorm .layer_output_norm: n_embd
      .nextn.shared_head_norm?: n_embd
cohere2moe
  embedding
  if n_expert == 0
    refuse n_expert must be > 0 for Cohere2Moe
  if n_expert_used == 0
    refuse n_expert_used must be > 0 for Cohere2Moe
  each 0..n_layer
    .attn_norm?(only_mtp): n_embd
    attention?(only_mtp): n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    if i < n_layer_dense_lead
      ffn?(only_mtp): n_embd, n_ff
    else
      let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff
      .ffn_gate_inp?(only_mtp): n_embd, n_expert
      .ffn_down_exps?(only_mtp): n_ff_exp, n_embd, n_expert
      gate_up_exps?(only_mtp): n_embd, n_ff_exp, n_expert
      if n_expert_shared > 0
        let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff_exp * n_expert_shared
        shared_expert?(only_mtp): n_embd, n_ff_shexp
  each n_layer..n_layer_all
    .attn_norm?(without_mtp): n_embd
    qkv?: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output?(without_mtp): n_embd_head_k * n_head, n_embd
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff
    .ffn_gate_inp?(without_mtp): n_embd, n_expert
    .ffn_down_exps?(without_mtp): n_ff_exp, n_embd, n_expert
    gate_up_exps?: n_embd, n_ff_exp, n_expert
    if n_expert_shared > 0
      let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff_exp * n_expert_shared
      shared_expert?(without_mtp): n_embd, n_ff_shexp
    nextn?(without_mtp): n_embd, n_vocab
dbrx
  if n_expert == 0
    refuse DBRX model cannot have zero experts
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm .attn_output_norm: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff, n_expert
deepseek
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    if i < n_layer_dense_lead
      ffn: n_embd, n_ff
    else
      .ffn_gate_inp: n_embd, n_expert
      experts_given
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_exp * n_expert_shared
deepseek2-ocr
  embedding
  each 0..n_layer
    attention: n_embd, n_embd, n_embd, n_embd
    .ffn_norm .attn_norm: n_embd
    if i < n_layer_dense_lead
      ffn: n_embd, n_ff
    else
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      experts_given
      .ffn_down_exps: n_ff_exp, n_embd, n_expert
      gate_up_exps: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_exp * n_expert_shared
dots1
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_head_k * n_head, n_embd_head_k * n_head
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    if i < n_layer_dense_lead
      ffn: n_embd, n_ff
    else
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      experts_given
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_exp * n_expert_shared
ernie4_5 paddleocr
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    if 0 && i >= n_layer_dense_lead
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      .ffn_gate_exps?: n_embd, n_ff_exp, n_expert
      .ffn_down_exps: n_ff_exp, n_embd, n_expert
      .ffn_up_exps: n_embd, n_ff_exp, n_expert
      if n_ff_shexp > 0
        shared_expert: n_embd, n_ff_shexp
    else
      ffn: n_embd, n_ff
ernie4_5-moe
  need n_moe_layer_step > 0
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    if i >= n_layer_dense_lead
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      .ffn_gate_exps?: n_embd, n_ff_exp, n_expert
      .ffn_down_exps: n_ff_exp, n_embd, n_expert
      .ffn_up_exps: n_embd, n_ff_exp, n_expert
      if n_ff_shexp > 0
        shared_expert: n_embd, n_ff_shexp
    else
      ffn: n_embd, n_ff
exaone-moe
  let n_ff_shexp = n_ff_shexp > 0 ? n_ff_shexp : n_ff_exp
  let n_qo_dim = n_head * n_embd_head_k
  let n_kv_dim = n_head_kv * n_embd_head_k
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer_all
    attention: n_embd, n_qo_dim, n_kv_dim, n_kv_dim
    rope_freqs?: n_rot/2
    if has(rope_freqs) && i >= n_layer
      refuse done_getting_tensors: too many tensors created, since rope_freqs is counted for layers that predict ahead
    .attn_norm .ffn_norm: n_embd
    .attn_q_norm .attn_k_norm: n_embd_head_k
    if i < n_layer_dense_lead || (i >= n_layer)
      ffn: n_embd, n_ff
    else
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias?: n_expert
      experts_given
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_shexp
    if i >= n_layer
      .nextn.eh_proj: 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm: n_embd
      .nextn.shared_head_norm?: n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
`;
