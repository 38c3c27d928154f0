/** Models without experts, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const DENSE_A_TO_F_ROWS = `
apertus
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    rope_factors
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_output.bias?: n_embd
    .ffn_norm: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .attn_q_norm.bias .attn_k_norm.bias?: n_embd_head_k
arcee
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .ffn_norm: n_embd
    rope_freqs?: n_rot/2
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
baichuan internlm2 xverse
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
bitnet
  token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm .attn_sub_norm .ffn_norm: n_embd
    .attn_q .attn_output: n_embd, n_embd
    .attn_q.scale .attn_k.scale .attn_v.scale .attn_output.scale .ffn_gate.scale .ffn_down.scale?: 1
    .ffn_up.scale?: 1
    .attn_k .attn_v: n_embd, n_embd_gqa
    .ffn_sub_norm: n_ff
    .ffn_gate .ffn_up: n_embd, n_ff
    .ffn_down: n_ff, n_embd
bloom
  token_embd: n_embd, n_vocab
  token_embd_norm token_embd_norm.bias output_norm output_norm.bias: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_qkv.bias: n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
chameleon
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    .attn_q_norm: n_embd_head_k, n_head
    .attn_k_norm: n_embd_head_k, n_head_kv
    .attn_q_norm.bias?: n_embd_head_k, n_head
    .attn_k_norm.bias?: n_embd_head_k, n_head_kv
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
chatglm
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd, n_embd
    .ffn_norm: n_embd
    .ffn_up: n_embd, n_ff * 2
    .ffn_down: n_ff, n_embd
codeshell
  token_embd?: n_embd, n_vocab
  if !has(token_embd.weight)
    output: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  output: n_embd, n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
cogvlm
  embedding
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_qkv .vis_attn_qkv: n_embd, n_embd_head_k * n_head * 3
    .attn_output .vis_attn_output: n_embd_head_k * n_head, n_embd
    rope_freqs?: n_rot/2
    ffn: n_embd, n_ff
    .vis_gate .vis_up: n_embd, n_ff
    .vis_down: n_ff, n_embd
cohere2
  token_embd token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    ffn: n_embd, n_ff
command-r
  token_embd token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    if n_layer >= 64
      .attn_q_norm: n_embd_head_k, n_head
      .attn_k_norm: n_embd_head_k, n_head_kv
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    ffn: n_embd, n_ff
deci
  embedding
  each 0..n_layer
    let n_embd_k_gqa = n_embd_k_gqa[i]
    let n_embd_v_gqa = n_embd_v_gqa[i]
    let n_ff = n_ff[i]
    let n_head = n_head[i]
    let n_head_kv = n_head_kv[i]
    if n_head_kv == 0 && n_head > 0
      .attn_norm: n_embd
      .attn_output: n_embd, n_embd
    else
      if n_head_kv > 0
        .attn_norm: n_embd
        attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias?: n_embd
    if n_ff > 0
      .ffn_norm: n_embd
    rope_factors
    if n_ff > 0
      ffn: n_embd, n_ff
    .ffn_gate.bias .ffn_up.bias?: n_ff
    .ffn_down.bias?: n_embd
dream qwen2 qwen2vl
  embedding
  output.bias?: n_vocab
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
exaone
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .ffn_norm: n_embd
    rope_freqs?: n_rot/2
    ffn: n_embd, n_ff
exaone4
  embedding
  each 0..n_layer_all
    let is_nextn = i >= n_layer
    qkv: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output: n_embd, n_embd
    if !is_nextn
      rope_freqs?: n_rot/2
    .post_attention_norm: n_embd
    .attn_q_norm .attn_k_norm: n_embd_head_k
    ffn: n_embd, n_ff
    .post_ffw_norm: n_embd
    if is_nextn
      .nextn.eh_proj: 2 * n_embd, n_embd
      .nextn.enorm .nextn.hnorm: n_embd
      .nextn.shared_head_norm?: n_embd
falcon
  token_embd: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    .attn_norm_2 .attn_norm_2.bias?: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
`;
