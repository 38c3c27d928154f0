/** Models without experts, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const DENSE_M_TO_T_ROWS = `
maincoder
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
mpt
  token_embd: n_embd, n_vocab
  position_embd?: n_embd, n_ctx_train
  output_norm: n_embd
  output_norm.bias?: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_norm.bias .attn_output.bias .ffn_norm.bias .ffn_down.bias .attn_q_norm .attn_q_norm.bias?: n_embd
    .attn_k_norm .attn_k_norm.bias?: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_qkv.bias?: n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias .ffn.act.scales!?: n_ff
muse-glimmer
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm .post_attention_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .attn_gate: n_embd, n_embd_head_k * n_head
    .ffn_norm .post_ffw_norm: n_embd
    ffn: n_embd, n_ff
nanbeige
  embedding
  each 0..n_layer / num_loops
    .attn_norm .ffn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    rope_freqs?: n_rot/2
    ffn: n_embd, n_ff
nemotron
  token_embd output: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_down.bias?: n_embd
    .ffn_norm .ffn_norm.bias: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias?: n_ff
olmo
  token_embd: n_embd, n_vocab
  output?: n_embd, n_vocab
  each 0..n_layer
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    ffn: n_embd, n_ff
olmo2
  let n_embd_head = n_embd / n_head
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_q_norm .post_attention_norm: n_embd
    .attn_k_norm: n_head_kv * n_embd_head
    ffn: n_embd, n_ff
    .post_ffw_norm: n_embd
openelm
  token_embd token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    let n_head = n_head[i]
    let n_head_qkv = 2*n_head_kv[i] + n_head
    let n_ff = n_ff[i]
    .attn_norm .ffn_norm: n_embd
    .attn_qkv: n_embd, n_head_qkv*n_embd_head_k
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .attn_output: n_head*n_embd_head_k, n_embd
    ffn: n_embd, n_ff
orion
  token_embd output: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm .ffn_norm.bias: n_embd
    ffn: n_embd, n_ff
pangu-embedded
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
    .attn_output.bias .ffn_norm: n_embd
    rope_factors
    ffn: n_embd, n_ff
phi2
  token_embd output: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  output.bias: n_vocab
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_down.bias: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
phi3
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    qkv?: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_norm: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, 2 * n_ff
    rope_factors_long rope_factors_short?: n_rot/2
plamo
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    ffn: n_embd, n_ff
plamo3
  embedding
  each 0..n_layer
    let q_proj_dim = n_head[i] * n_embd_head_k
    let k_proj_dim = n_head_kv[i] * n_embd_head_k
    let v_proj_dim = n_head_kv[i] * n_embd_head_v
    .attn_norm .post_attention_norm! .ffn_norm .post_ffw_norm!: n_embd
    .attn_qkv: n_embd, q_proj_dim + k_proj_dim + v_proj_dim
    .attn_q_norm .attn_k_norm: n_embd_head_k
    .attn_output: n_head[i] * n_embd_head_v, n_embd
    .ffn_up: n_embd, n_ff[i] * 2
    .ffn_down: n_ff[i], n_embd
pockettts
  token_embd token_embd: n_embd, n_vocab
  output_norm output_norm.bias: n_embd
  each 0..n_layer
    .attn_norm .attn_norm.bias: n_embd
    qkv?: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_norm .ffn_norm.bias: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
qwen
  token_embd output: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_qkv: n_embd, n_embd*3
    .attn_qkv.bias: n_embd*3
    .attn_output: n_embd, n_embd
    ffn: n_embd, n_ff/2
qwen3
  embedding
  cls.output?: n_embd, n_cls_out
  dense_2?: n_embd, n_embd_out
  dense_2.bias?: n_embd_out
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
qwen3tts
  let n_vocab_out = 3072
  token_embd: n_embd, n_vocab
  output_norm: n_embd
  output?: n_embd, n_vocab_out
  cls.output?: n_embd, n_cls_out
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
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
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_k_norm .attn_q_norm: n_embd_head_k
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
seed_oss
  let n_qo_dim = n_head * n_embd_head_k
  let n_kv_dim = n_head_kv * n_embd_head_k
  embedding
  each 0..n_layer
    attention: n_embd, n_qo_dim, n_kv_dim, n_kv_dim
    .attn_norm .post_attention_norm: n_embd
    ffn: n_embd, n_ff
smollm3
  embedding
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd_head_k * n_head, n_embd_k_gqa, n_embd_v_gqa
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
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
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
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_norm .ffn_norm.bias .ffn_down.bias: n_embd
    .ffn_down: n_ff, n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias: n_ff
talkie
  token_embd output: n_embd, n_vocab
  each 0..n_layer
    attention: n_embd, n_embd_head_k * n_head, n_embd_gqa, n_embd_gqa
    .attn_q_norm: 1, n_head
    ffn: n_embd, n_ff
    .layer_output_scale: 1
`;
