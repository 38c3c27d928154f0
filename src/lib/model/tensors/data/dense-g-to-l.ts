/** Models without experts, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const DENSE_G_TO_L_ROWS = `
gemma
  token_embd token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
gemma-embedding
  embedding
  dense_2?: n_embd, dense_2_feat_out
  dense_3?: dense_3_feat_in, n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .post_attention_norm .ffn_norm: n_embd
    .attn_k_norm .attn_q_norm: n_embd_head_k
    ffn: n_embd, n_ff
    .post_ffw_norm: n_embd
gemma2
  token_embd token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .post_attention_norm .ffn_norm: n_embd
    ffn: n_embd, n_ff
    .post_ffw_norm: n_embd
gemma3
  embedding
  dense_2?: n_embd, 0
  dense_3?: 0, n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .post_attention_norm .ffn_norm: n_embd
    .attn_k_norm .attn_q_norm: n_embd_head_k
    ffn: n_embd, n_ff
    .post_ffw_norm: n_embd
gemma3n
  output?: n_embd, n_vocab
  token_embd: n_embd, n_vocab
  altup_proj altup_unembd_proj: n_embd, n_embd, n_altup - 1
  per_layer_token_embd: n_embd_altup * n_layer, n_vocab
  per_layer_model_proj: n_embd, n_embd_altup * n_layer
  per_layer_proj_norm: n_embd_altup
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .post_attention_norm .ffn_norm: n_embd
    ffn: n_embd, n_ff
    .post_ffw_norm .post_norm .altup_correct_scale .altup_router_norm .laurel_post_norm: n_embd
    .inp_gate: n_embd, n_embd_altup
    .proj: n_embd_altup, n_embd
    .altup_correct_coef: n_altup, n_altup
    .altup_predict_coef: n_altup, n_altup * n_altup
    .altup_router: n_embd, n_altup
    .laurel_l: n_embd, laurel_rank
    .laurel_r: laurel_rank, n_embd
gemma4-assistant
  if n_embd_head_k != n_embd_head_v
    refuse Gemma 4 assistant requires n_embd_head_k == n_embd_head_v
  if n_embd_head_k_swa != n_embd_head_v_swa
    refuse Gemma 4 assistant requires n_embd_head_k_swa == n_embd_head_v_swa
  if n_embd_out == n_embd
    refuse Gemma 4 assistant requires embedding_length_out to carry the target hidden size
  token_embd token_embd: n_embd, n_vocab
  output_norm: n_embd
  masked_embd_centroids?: 1
  masked_embd_ordering?: 1
  nextn.post_projection: n_embd, n_embd_inp
  each 0..n_layer_nextn
    let n_head = n_head[i]
    let n_ff = n_ff[i]
    if i == 0
      nextn.pre_projection: 2*n_embd_inp, n_embd
    .attn_norm .post_attention_norm: n_embd
    .attn_q: n_embd, n_embd_head_k[i]*n_head
    .attn_output: n_embd_head_k[i]*n_head, n_embd
    .attn_q_norm: n_embd_head_k[i]
    .layer_output_scale: 1
    if !is_swa[i]
      rope_freqs: n_embd_head_k[i]/2
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
    .post_ffw_norm: n_embd
glm4
  embedding
  each 0..n_layer_all
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .post_attention_norm .ffn_norm .post_ffw_norm: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff * 2
    if i >= n_layer
      nextn: n_embd, n_vocab
gpt2 starcoder
  token_embd: n_embd, n_vocab
  position_embd: n_embd, n_ctx_train
  output_norm output_norm.bias: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_qkv.bias: n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
gptneox
  token_embd output: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  each 0..n_layer
    .attn_norm .attn_norm.bias .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_qkv.bias: n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
graniteswitch
  let n_slots = n_adapters + 1
  let n_embd_q = n_embd_head_k * n_head
  need n_adapters <= 4096 && max_lora_rank <= 4096
  if n_activating != n_adapters || n_substituted != n_adapters
    refuse graniteswitch: adapter token id arrays do not match adapter count
  embedding
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_qkv: n_embd, n_embd_q + 2 * n_embd_k_gqa
    .attn_output: n_embd_q, n_embd
    ffn: n_embd, n_ff
    .attn_q.lora_a .attn_k.lora_a .attn_v.lora_a .ffn_gate.lora_a .ffn_up.lora_a: n_embd, max_lora_rank, n_slots
    .attn_q.lora_b: max_lora_rank, n_embd_q, n_slots
    .attn_k.lora_b .attn_v.lora_b: max_lora_rank, n_embd_k_gqa, n_slots
    .attn_output.lora_a: n_embd_q, max_lora_rank, n_slots
    .attn_output.lora_b .ffn_down.lora_b: max_lora_rank, n_embd, n_slots
    .ffn_gate.lora_b .ffn_up.lora_b: max_lora_rank, n_ff, n_slots
    .ffn_down.lora_a: n_ff, max_lora_rank, n_slots
hrm_text
  token_embd: n_embd, n_vocab
  output?: n_embd, n_vocab
  hrm.z_l_init!: n_embd
  each 0..2 * n_hrm_layers_per_stack
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_gate: n_embd, n_embd_head_k * n_head
    .attn_output: n_embd_head_k * n_head, n_embd
    ffn: n_embd, n_ff
hunyuan_vl hunyuan-dense
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
jais
  token_embd output: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  each 0..n_layer
    .attn_norm .attn_norm.bias .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_qkv.bias: n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_down: n_ff, n_embd
    .ffn_gate .ffn_up: n_embd, n_ff
    .ffn_gate.bias .ffn_up.bias: n_ff
jais2
  token_embd: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
    .ffn_down: n_ff, n_embd
llada
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    rope_freqs?: n_rot / 2
    ffn: n_embd, n_ff
    .ffn_gate.bias .ffn_up.bias?: n_ff
    .ffn_down.bias?: n_embd
`;
