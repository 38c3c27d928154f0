/** Models without experts, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const DENSE_3_ROWS = `
qwen3
  embedding
  cls.output?: n_embd, n_cls_out
  dense_2?: n_embd, n_embd_out
  dense_2.bias?: n_embd_out
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
qwen3vl
  let n_vocab_out = n_vocab
  token_embd: n_embd, n_vocab
  output_norm: n_embd
  output?: n_embd, n_vocab_out
  cls.output?: n_embd, n_cls_out
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
seed_oss
  let n_qo_dim = n_head * n_embd_head_k
  let n_kv_dim = n_head_kv * n_embd_head_k
  embedding
  each 0..n_layer
    qkv: n_embd, n_qo_dim, n_kv_dim, n_kv_dim
    .attn_output: n_qo_dim, n_embd
    .attn_norm .post_attention_norm: n_embd
    ffn: n_embd, n_ff
smollm3
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
spark2_5
  embedding
  each 0..n_layer
    let n_embd_q = n_embd_head_k[i] * n_head[i]
    let n_embd_k = n_embd_head_k[i] * n_head_kv[i]
    let n_embd_v = n_embd_head_v[i] * n_head_kv[i]
    .attn_norm: n_embd
    qkv: n_embd, n_embd_q, n_embd_k, n_embd_v
    .attn_gate: n_embd, n_head[i]
    .attn_output: n_embd_q, n_embd
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
stablelm
  token_embd output: n_embd, n_vocab
  output_norm.bias output_norm: n_embd
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    qkv: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd, n_embd
    .attn_q_norm?: n_embd_head_k, n_head
    .attn_k_norm?: n_embd_head_k, n_head_kv
    .ffn_norm .ffn_norm.bias?: n_embd
    ffn: n_embd, n_ff
starcoder2
  token_embd: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    qkv: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd, n_embd
    .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
talkie
  token_embd output: n_embd, n_vocab
  each 0..n_layer
    qkv: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_q_norm: 1, n_head
    ffn: n_embd, n_ff
    .layer_output_scale: 1
qwen3tts
  let n_vocab_out = 3072
  token_embd: n_embd, n_vocab
  output_norm: n_embd
  output?: n_embd, n_vocab_out
  cls.output?: n_embd, n_cls_out
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
nanbeige
  embedding
  each 0..n_layer / num_loops
    .attn_norm .ffn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd_head_k * n_head, n_embd
    rope_freqs?: n_rot/2
    ffn: n_embd, n_ff
hrm_text
  token_embd: n_embd, n_vocab
  output?: n_embd, n_vocab
  hrm.z_l_init!: n_embd
  each 0..2 * n_hrm_layers_per_stack
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_gate: n_embd, n_embd_head_k * n_head
    .attn_output: n_embd_head_k * n_head, n_embd
    ffn: n_embd, n_ff
graniteswitch
  let n_slots = n_adapters + 1
  let n_embd_q = n_embd_head_k * n_head
  need n_adapters <= 4096 && max_lora_rank <= 4096
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
`;
