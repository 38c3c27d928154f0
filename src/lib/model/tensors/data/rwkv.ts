/** RWKV, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const RWKV_ROWS = `
arwkv7
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    let n_lora_v = i == 0 ? n_lora_iclr : n_lora_value_res_mix
    .attn_norm .ffn_norm: n_embd
    .time_mix_w0 .time_mix_a0 .time_mix_v0: n_embd
    .time_mix_w1: n_embd, n_lora_decay
    .time_mix_w2: n_lora_decay, n_embd
    .time_mix_a1: n_embd, n_lora_iclr
    .time_mix_a2: n_lora_iclr, n_embd
    .time_mix_v1: n_embd, n_lora_v
    .time_mix_v2: n_lora_v, n_embd
    .time_mix_g1?: n_embd, n_lora_gate
    .time_mix_g2?: n_lora_gate, n_embd
    .time_mix_lerp_fused: n_embd, 1, 1, dim3(.time_mix_lerp_fused) == 6 ? 6 : 5
    .time_mix_k_k .time_mix_k_a .time_mix_r_k: n_embd
    .time_mix_ln .time_mix_ln.bias?: n_embd
    .time_mix_key .time_mix_value .time_mix_receptance .time_mix_output: n_embd, n_embd
    ffn: n_embd, n_ff
rwkv6
  token_embd output: n_embd, n_vocab
  token_embd_norm token_embd_norm.bias output_norm output_norm.bias: n_embd
  each 0..n_layer
    .attn_norm .attn_norm.bias .attn_norm_2 .attn_norm_2.bias: n_embd
    .time_mix_w1: n_embd, time_mix_extra_dim * 5
    .time_mix_w2: time_mix_extra_dim, n_embd, 5
    .time_mix_lerp_x: n_embd, 1, 1
    .time_mix_lerp_w .time_mix_lerp_k .time_mix_lerp_v .time_mix_lerp_r .time_mix_lerp_g?: n_embd, 1, 1
    .time_mix_lerp_fused?: n_embd, 1, 1, 5
    need !(!has(.time_mix_lerp_fused.weight) && !has(.time_mix_lerp_w.weight))
    .time_mix_first: wkv_head_size, n_embd / wkv_head_size
    .time_mix_decay .time_mix_ln .time_mix_ln.bias: n_embd
    .time_mix_decay_w1: n_embd, time_decay_extra_dim
    .time_mix_decay_w2: time_decay_extra_dim, n_embd
    .time_mix_key .time_mix_value .time_mix_receptance .time_mix_gate .time_mix_output: n_embd, n_embd
    .channel_mix_receptance: n_embd, n_embd
    .channel_mix_lerp_k .channel_mix_lerp_r: n_embd, 1, 1
    .channel_mix_key: n_embd, n_ff
    .channel_mix_value: n_ff, n_embd
rwkv6qwen2
  let key_value_size = n_head_kv == 0 || n_embd / wkv_head_size == n_head_kv ? n_embd : n_head_kv * wkv_head_size
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  output_norm.bias?: n_embd
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .time_mix_w1: n_embd, time_mix_extra_dim * 5
    .time_mix_w2: time_mix_extra_dim, n_embd, 5
    .time_mix_lerp_x: n_embd, 1, 1
    .time_mix_lerp_fused: n_embd, 1, 1, 5
    .time_mix_first?: wkv_head_size, n_embd / wkv_head_size
    .time_mix_decay: n_embd
    .time_mix_decay_w1: n_embd, time_decay_extra_dim
    .time_mix_decay_w2: time_decay_extra_dim, n_embd
    .time_mix_key .time_mix_value: n_embd, key_value_size
    .time_mix_receptance .time_mix_gate .time_mix_output: n_embd, n_embd
    .time_mix_key.bias .time_mix_value.bias?: key_value_size
    .time_mix_receptance.bias?: n_embd
    ffn: n_embd, n_ff
rwkv7
  token_embd output: n_embd, n_vocab
  token_embd_norm token_embd_norm.bias output_norm output_norm.bias: n_embd
  each 0..n_layer
    let n_lora_v = i == 0 ? n_lora_iclr : n_lora_value_res_mix
    .attn_norm .attn_norm.bias .attn_norm_2 .attn_norm_2.bias: n_embd
    .time_mix_w0 .time_mix_a0 .time_mix_v0: n_embd
    .time_mix_w1: n_embd, n_lora_decay
    .time_mix_w2: n_lora_decay, n_embd
    .time_mix_a1: n_embd, n_lora_iclr
    .time_mix_a2: n_lora_iclr, n_embd
    .time_mix_v1: n_embd, n_lora_v
    .time_mix_v2: n_lora_v, n_embd
    .time_mix_g1: n_embd, n_lora_gate
    .time_mix_g2: n_lora_gate, n_embd
    .time_mix_lerp_fused: n_embd, 1, 1, 6
    .time_mix_k_k .time_mix_k_a .time_mix_r_k .time_mix_ln .time_mix_ln.bias: n_embd
    .time_mix_key .time_mix_value .time_mix_receptance .time_mix_output: n_embd, n_embd
    .channel_mix_lerp_k: n_embd, 1, 1
    .channel_mix_key: n_embd, n_ff
    .channel_mix_value: n_ff, n_embd
`;
