/** Models that have experts, or may have, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const EXPERTS_L_TO_S_ROWS = `
laguna
  let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff_exp * (n_expert_shared ? n_expert_shared : 1)
  embedding
  each 0..n_layer
    let n_embd_q = n_embd_head_k * n_head[i]
    .attn_norm .ffn_norm: n_embd
    attention: n_embd, n_embd_q, n_embd_head_k * n_head_kv[i], n_embd_head_v * n_head_kv[i]
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .attn_gate: n_embd, rows(.attn_gate) == n_embd_q ? n_embd_q : n_head[i]
    if i >= n_layer_dense_lead
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias: n_expert
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_shexp
    else
      ffn: n_embd, n_ff
llada-moe
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  need n_expert > 0
  need n_expert_used > 0
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts: n_embd, n_ff_exp, n_expert
llama minicpm refact llama-embed
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    rope_factors
    ffn_or_experts
llama4
  let n_ff_shexp = 0
  if n_expert == 0
    refuse model cannot have zero experts
  embedding
  each 0..n_layer
    let is_moe_layer = n_moe_layer_step > 0 && (i + 1) % n_moe_layer_step == 0
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .ffn_norm: n_embd
    rope_freqs?: n_rot/2
    if is_moe_layer
      .ffn_gate_inp: n_embd, n_expert
      experts: n_embd, n_ff_exp, n_expert
      let n_ff_shexp = n_ff_exp
      shared_expert: n_embd, n_ff_shexp
    else
      ffn: n_embd, n_ff
maple
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  if n_expert == 0
    refuse n_expert must be > 0 for Maple
  if n_expert_used == 0
    refuse n_expert_used must be > 0 for Maple
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_head * n_embd_head_k, n_head_kv * n_embd_head_k, n_head_kv * n_embd_head_k
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff_exp, n_expert
mellum
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  if n_expert == 0
    refuse n_expert must be > 0 for Mellum
  if n_expert_used == 0
    refuse n_expert_used must be > 0 for Mellum
  each 0..n_layer
    .attn_norm?(only_mtp): n_embd
    attention?(only_mtp): n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_k_norm .attn_q_norm?(only_mtp): n_embd_head_k
    .ffn_norm?(only_mtp): n_embd
    .ffn_gate_inp?(only_mtp): n_embd, n_expert
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts?(only_mtp): n_embd, n_ff_exp, n_expert
  each n_layer..n_layer_all
    .attn_norm?(without_mtp): n_embd
    qkv?: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output?(without_mtp): n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm?(without_mtp): n_embd_head_k
    .ffn_norm?(without_mtp): n_embd
    .ffn_gate_inp?(without_mtp): n_embd, n_expert
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts?(without_mtp): n_embd, n_ff_exp, n_expert
    .nextn.eh_proj?(without_mtp): 2 * n_embd, n_embd
    .nextn.enorm .nextn.hnorm .nextn.shared_head_norm?(without_mtp): n_embd
mimo2
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer_all
    let n_embd_k_gqa = n_embd_k_gqa[i]
    let n_embd_v_gqa = n_embd_v_gqa[i]
    let n_head = n_head[i]
    let is_nextn = i >= n_layer
    qkv?(is_nextn ? 1 : only_mtp): n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output?(is_nextn ? without_mtp : only_mtp): n_embd_head_v * n_head, n_embd
    .attn_norm .ffn_norm?(is_nextn ? without_mtp : only_mtp): n_embd
    .attn_sinks?: n_head
    ffn?: n_embd, n_ff
    .ffn_gate_inp?: n_embd, n_expert
    experts?: n_embd, n_ff_exp, n_expert
    .exp_probs_b.bias?: n_expert
    if is_nextn
      .nextn.eh_proj?(is_nextn ? without_mtp : only_mtp): 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm?(is_nextn ? without_mtp : only_mtp): n_embd
      .nextn.embed_tokens .nextn.shared_head_head?: n_embd, n_vocab
      .nextn.shared_head_norm .layer_output_norm?: n_embd
minimax-01
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    if !is_recr[i]
      qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    else
      .attn_norm_2: n_embd_head_k * n_head
      .attn_qkv: n_embd, 3 * n_embd_head_k * n_head
      .attn_gate: n_embd, n_embd_head_k * n_head
    .attn_output: n_embd_head_k * n_head, n_embd
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    .ffn_gate_exps?: n_embd, n_ff, n_expert
    .ffn_down_exps: n_ff, n_embd, n_expert
    .ffn_up_exps: n_embd, n_ff, n_expert
minimax-m2
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_norm .ffn_norm: n_embd
    .attn_q_norm: n_embd_head_k * n_head
    .attn_k_norm: n_embd_k_gqa
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff, n_expert
    .exp_probs_b.bias: n_expert
minimax-m3
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_norm .ffn_norm: n_embd
    .attn_q_norm .attn_k_norm: n_embd_head_k
    if i < n_layer_dense_lead
      ffn: n_embd, n_ff
    else
      .ffn_gate_inp: n_embd, n_expert
      .exp_probs_b.bias: n_expert
      experts: n_embd, n_ff_exp, n_expert
      shared_expert: n_embd, n_ff_exp * n_expert_shared
      .indexer.q_proj: n_embd, indexer_n_head * indexer_head_size
      .indexer.k_proj: n_embd, indexer_head_size
      .indexer.q_norm .indexer.k_norm: indexer_head_size
mistral3
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    .ffn_norm_ada_down?: n_embd, rows(.ffn_norm_ada_down)
    .ffn_norm_ada_up?: rows(.ffn_norm_ada_down), n_embd
    rope_factors
    ffn_or_experts
olmoe
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_q_norm .attn_k_norm .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    experts_given
    experts: n_embd, n_ff, n_expert
phimoe
  let n_embd_head = n_embd / n_head
  token_embd output: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  output.bias: n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_norm .ffn_norm.bias: n_embd
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff, n_expert
    rope_factors_long rope_factors_short?: n_embd_head/2
qwen2moe
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    if n_expert == 0
      refuse n_expert must be > 0 for QWEN2MOE
    if n_expert_used == 0
      refuse n_expert_used must be > 0 for QWEN2MOE
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts: n_embd, n_ff_exp, n_expert
    let n_ff_shexp = n_ff_shexp ? n_ff_shexp : n_ff
    .ffn_gate_inp_shexp: n_embd
    shared_expert: n_embd, n_ff_shexp
qwen3moe qwen3vlmoe rnd1
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    .ffn_gate_inp: n_embd, n_expert
    if n_expert == 0
      refuse n_expert must be > 0 for QWEN3MOE
    if n_expert_used == 0
      refuse n_expert_used must be > 0 for QWEN3MOE
    let n_ff_exp = n_ff_exp ? n_ff_exp : n_ff / n_expert_used
    experts: n_embd, n_ff_exp, n_expert
smallthinker
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    need n_expert > 0
    need n_expert_used > 0
    .ffn_gate_inp: n_embd, n_expert
    experts: n_embd, n_ff_exp, n_expert
step35
  token_embd: n_embd, n_vocab
  output_norm: n_embd
  output?(only_mtp): n_embd, n_vocab
  each 0..n_layer_all
    let flags = i < n_layer ? only_mtp : without_mtp
    .attn_norm .ffn_norm?(flags): n_embd
    .attn_q_norm .attn_k_norm?: n_embd_head_k
    if long_rope
      rope_factors_long rope_factors_short?: n_rot_max/2
    else
      rope_freqs?: n_rot_max/2
    qkv?(flags): n_embd, n_embd_head_k * n_head[i], n_embd_k_gqa[i], n_embd_v_gqa[i]
    .attn_output?(flags): n_embd_head_v * n_head[i], n_embd
    .attn_gate?: n_embd, n_head[i]
    ffn?: n_embd, n_ff
    .ffn_gate_inp?: n_embd, n_expert
    experts?: n_embd, n_ff_exp, n_expert
    .exp_probs_b.bias?: n_expert
    shared_expert?: n_embd, n_ff_shexp
    if i >= n_layer
      nextn?(flags): n_embd, n_vocab
`;
