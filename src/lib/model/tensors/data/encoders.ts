/** Encoders, and what each loads: `load_arch_tensors` in `src/models/*.cpp` (llama.cpp v0.5.0). */
export const ENCODERS_ROWS = `
bert
  if n_token_types == 0
    refuse model needs to define token type count
  token_embd: n_embd, n_vocab
  token_types?: n_embd, n_token_types
  position_embd: n_embd, n_ctx_train
  cls?: n_embd, n_embd
  cls.bias?: n_embd
  cls.output?: n_embd, n_cls_out
  cls.output.bias?: n_cls_out
  token_embd_norm token_embd_norm.bias: n_embd
  each 0..n_layer
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_down.bias?: n_embd
    .attn_output_norm .attn_output_norm.bias .layer_output_norm .layer_output_norm.bias: n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias?: n_ff
    .ffn_down: n_ff, n_embd
eurobert
  token_embd: n_embd, n_vocab
  output_norm: n_embd
  each 0..n_layer
    .attn_norm: n_embd
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .ffn_norm: n_embd
    ffn: n_embd, n_ff
jina-bert-v2
  token_embd: n_embd, n_vocab
  token_types: n_embd, n_token_types
  token_embd_norm token_embd_norm.bias: n_embd
  cls?: n_embd, 1
  cls.bias?: 1
  each 0..n_layer
    let n_ffn_up = has(.ffn_up) ? rows(.ffn_up) : n_ff
    need n_ffn_up == n_ff || n_ffn_up == n_ff * 2
    qkv: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_q_norm .attn_q_norm.bias .attn_k_norm .attn_k_norm.bias .attn_norm_2 .attn_norm_2.bias?: n_embd
    .attn_output: n_embd, n_embd
    .attn_output.bias .attn_output_norm .attn_output_norm.bias: n_embd
    .ffn_gate?: n_embd, n_ff
    .ffn_up: n_embd, n_ffn_up
    .ffn_up.bias?: n_ffn_up
    .ffn_down: n_ff, n_embd
    .ffn_down.bias .layer_output_norm .layer_output_norm.bias: n_embd
jina-bert-v3
  if n_token_types == 0
    refuse model needs to define token type count
  token_embd: n_embd, n_vocab
  token_types?: n_embd, n_token_types
  token_embd_norm token_embd_norm.bias: n_embd
  each 0..n_layer
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_down.bias?: n_embd
    .attn_output_norm .attn_output_norm.bias .layer_output_norm .layer_output_norm.bias: n_embd
    .ffn_up: n_embd, n_ff
    .ffn_up.bias?: n_ff
    .ffn_down: n_ff, n_embd
modern-bert
  token_embd: n_embd, n_vocab
  token_embd_norm output_norm: n_embd
  each 0..n_layer
    if i != 0
      .attn_norm: n_embd
    else
      .attn_norm?: n_embd
    .attn_qkv: n_embd, 3 * n_embd
    .attn_output: n_embd, n_embd
    .ffn_up: n_embd, 2 * n_ff
    .ffn_down: n_ff, n_embd
    .ffn_norm: n_embd
  cls.output?: n_embd, n_cls_out
  cls.output.bias?: n_cls_out
  cls?: n_embd, n_embd
  cls.norm?: n_embd
neo-bert
  token_embd: n_embd, n_vocab
  cls?: n_embd, n_embd
  cls.bias?: n_embd
  cls.output?: n_embd, n_cls_out
  cls.output.bias?: n_cls_out
  enc.output_norm: n_embd
  each 0..n_layer
    .attn_norm .ffn_norm: n_embd
    .attn_qkv: n_embd, n_embd + 2*n_embd_gqa
    .attn_output: n_embd, n_embd
    .ffn_up: n_embd, n_ff*2
    .ffn_down: n_ff, n_embd
nomic-bert
  if n_token_types == 0
    refuse model needs to define token type count
  token_embd: n_embd, n_vocab
  token_types?: n_embd, n_token_types
  token_embd_norm token_embd_norm.bias: n_embd
  each 0..n_layer
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias .ffn_down.bias?: n_embd
    .attn_output_norm .attn_output_norm.bias .layer_output_norm .layer_output_norm.bias: n_embd
    .ffn_up .ffn_gate: n_embd, n_ff
    .ffn_up.bias?: n_ff
    .ffn_down: n_ff, n_embd
nomic-bert-moe
  if n_token_types == 0
    refuse model needs to define token type count
  token_embd: n_embd, n_vocab
  token_types?: n_embd, n_token_types
  token_embd_norm token_embd_norm.bias: n_embd
  each 0..n_layer
    attention: n_embd, n_embd, n_embd_gqa, n_embd_gqa
    .attn_output.bias?: n_embd
    .attn_output_norm .attn_output_norm.bias: n_embd
    if moe_every_n_layers > 0 && i % moe_every_n_layers == 1
      .ffn_up_exps: n_embd, n_ff, n_expert
      .ffn_down_exps: n_ff, n_embd, n_expert
      .ffn_gate_inp: n_embd, n_expert
    else
      .ffn_up: n_embd, n_ff
      .ffn_up.bias?: n_ff
      .ffn_down: n_ff, n_embd
      .ffn_down.bias?: n_embd
    .layer_output_norm .layer_output_norm.bias: n_embd
t5
  token_embd: n_embd, n_vocab
  enc.output_norm dec.output_norm: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    t5_encoder
  each 0..dec_n_layer
    dec.blk.*.attn_norm dec.blk.*.cross_attn_norm dec.blk.*.ffn_norm: n_embd
    dec.blk.*.attn_rel_b dec.blk.*.cross_attn_rel_b?: n_head, n_rel_attn_bkts
    dec.blk.*.attn_q dec.blk.*.attn_k dec.blk.*.cross_attn_q dec.blk.*.cross_attn_k: n_embd, n_embd_k_gqa
    dec.blk.*.attn_v dec.blk.*.cross_attn_v: n_embd, n_embd_v_gqa
    dec.blk.*.attn_o dec.blk.*.cross_attn_o: n_embd_v_gqa, n_embd
    dec.blk.*.ffn_gate?: n_embd, n_ff
    dec.blk.*.ffn_down: n_ff, n_embd
    dec.blk.*.ffn_up: n_embd, n_ff
t5encoder
  token_embd: n_embd, n_vocab
  enc.output_norm: n_embd
  output?: n_embd, n_vocab
  each 0..n_layer
    t5_encoder
`;
