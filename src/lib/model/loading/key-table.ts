/**
 * The keys that `load_hparams` (`src/llama-model.cpp`) and `load_arch_hparams` in `src/models/*.cpp` read by `ml.get_key`,
 * `get_key_or_arr` and `get_arr`, in llama.cpp v0.5.0 or b12032. A line is keys (after `=` those that have no
 * architecture's name in front), their type in the file (`key-types.ts` says what it means) and the architectures that
 * read them, with `?` those that load without (what both versions know and only one asks for); an indented line goes on.
 */
export const KEYS_READ = `
attention.causal rope.scaling.finetuned bool: every?
classifier.output_labels [str]: every?
context_length embedding_length block_count u32: every
embedding_length_out pooling_type nextn_predict_layers expert_count expert_group_count expert_group_used_count
  rope.scaling.original_context_length attention.key_length attention.value_length rope.dimension_count
  attention.key_length_swa attention.value_length_swa rope.dimension_count_swa u32: every?
expert_used_count feed_forward_length attention.head_count attention.head_count_kv u32s: every?
rope.freq_base rope.scaling.factor rope.scale_linear rope.scaling.attn_factor rope.scaling.alpha f32: every?
rope.scaling.type str: every?
attention.layer_norm_rms_epsilon f32: afmoe apertus arcee arctic baichuan bailingmoe bailingmoe2 bailingmoe3 beam
  bitnet chameleon chatglm cogvlm deci deepseek deepseek2 deepseek2-ocr deepseek32 deepseek4 deepseek41 dflash dots1
  dots3note dream eagle3 ernie4_5 ernie4_5-moe eurobert exaone exaone-moe exaone4 falcon-h1 flint gemma
  gemma-embedding gemma-embedding2 gemma2 gemma3 gemma3n gemma4 gemma4-assistant glm-dsa glm4 glm4moe glm5-next
  gpt-oss granite granite_swa granitehybrid granitemoe graniteswitch grok grovemoe hrm_text hunyuan-dense hunyuan-moe
  hunyuan_vl hy_v3 hy_v4 internlm2 jamba k2-horizon kimi-k3 kimi-linear kolibri1 laguna lfm2 lfm2moe lfm3 limite llada
  llada-moe llama llama-embed llama4 maincoder maion-coder mamba mamba2 maple mellum mimo2 minicpm minicpm3 minimax-01
  minimax-m2 minimax-m3 mistral-large4 mistral3 mistral4 muse-glimmer muse-spark nanbeige neo-bert olmo2 olmoe openelm
  paddleocr pangu-embedded phi3 phimoe plamo plamo2 plamo3 plm qwen qwen2 qwen2moe qwen3 qwen35 qwen35moe qwen3moe
  qwen3next qwen3tts qwen3vl qwen3vlmoe qwen4exp refact rnd1 seed_oss sensenova_u1 smallthinker smollm3 spark2_5
  step35 t5 t5encoder talkie xverse arwkv7? clef? cohere2moe? nemotron_h? nemotron_h_moe? rwkv6? rwkv6qwen2? rwkv7?
  vllm-decision2?
expert_feed_forward_length u32s: afmoe bailingmoe bailingmoe2 bailingmoe3 beam cohere2moe deepseek deepseek2
  deepseek2-ocr deepseek32 deepseek4 deepseek41 dots1 dots3note ernie4_5-moe exaone-moe flint glm-dsa glm4moe
  glm5-next gpt-oss grovemoe hunyuan-moe hy_v3 hy_v4 kimi-k3 kimi-linear kolibri1 laguna lfm2moe llama4 maion-coder
  maple mellum mimo2 minimax-m2 minimax-m3 mistral-large4 mistral4 step35 dflash? ernie4_5? gemma4? grok? k2-horizon?
  llada-moe? muse-spark? nemotron_h? nemotron_h_moe? paddleocr? qwen2moe? qwen35moe? qwen3moe? qwen3next? qwen3vlmoe?
  qwen4exp? rnd1? smallthinker?
attention.sliding_window u32: beam cohere2 cohere2moe deepseek4 deepseek41 dots3note exaone-moe flint gemma-embedding
  gemma-embedding2 gemma3n gemma4 gemma4-assistant gpt-oss granite_swa kolibri1 lfm3 limite maion-coder maple mimo2
  muse-glimmer muse-spark spark2_5 step35 afmoe? dflash? exaone4? gemma2? gemma3? laguna? lfm2? llama4? mellum?
  modern-bert? olmo2? phi3? plamo3? smallthinker?
attention.layer_norm_epsilon f32: bert bloom clef codeshell cohere2 command-r dbrx falcon gpt2 gptneox jais jais2
  jina-bert-v2 jina-bert-v3 mistral-large4 modern-bert mpt nemotron nemotron_h nemotron_h_moe nomic-bert
  nomic-bert-moe olmo orion phi2 pockettts stablelm starcoder starcoder2 vllm-decision2 arwkv7? cohere2moe? glm5-next?
  lfm2? rwkv6? rwkv6qwen2? rwkv7? wavtokenizer-dec?
expert_gating_func u32: bailingmoe2 bailingmoe3 deepseek32 deepseek4 deepseek41 dots3note exaone-moe flint kimi-k3
  kimi-linear kolibri1 lfm2moe minimax-m3 mistral-large4 muse-spark afmoe? beam? cohere2moe? deepseek2? deepseek2-ocr?
  dflash? dots1? glm-dsa? glm4moe? glm5-next? hy_v3? hy_v4? k2-horizon? laguna? mellum? minimax-m2? mistral4?
  smallthinker? step35?
expert_weights_norm bool: beam deepseek4 deepseek41 flint kolibri1 muse-spark afmoe? bailingmoe? bailingmoe2?
  bailingmoe3? cohere2moe? deepseek2? deepseek2-ocr? deepseek32? dflash? dots1? dots3note? exaone-moe? glm-dsa?
  glm4moe? glm5-next? hy_v3? hy_v4? k2-horizon? kimi-k3? laguna? mellum? minimax-m3? mistral-large4? mistral4?
  nemotron_h? nemotron_h_moe? step35?
expert_weights_scale f32: beam deepseek4 deepseek41 muse-spark afmoe? bailingmoe? bailingmoe2? bailingmoe3?
  cohere2moe? deepseek? deepseek2? deepseek2-ocr? deepseek32? dflash? dots1? dots3note? exaone-moe? flint? glm-dsa?
  glm4moe? glm5-next? hy_v3? hy_v4? k2-horizon? kimi-k3? kimi-linear? laguna? minimax-m3? mistral-large4? mistral4?
  nemotron_h? nemotron_h_moe? step35?
expert_shared_count u32: afmoe bailingmoe bailingmoe2 bailingmoe3 deepseek deepseek2 deepseek2-ocr deepseek32
  deepseek4 deepseek41 dots1 dots3note flint glm-dsa glm4moe glm5-next hy_v4 kimi-k3 kimi-linear kolibri1 minimax-m3
  mistral-large4 mistral4 cohere2moe? dflash? exaone-moe? k2-horizon? laguna? nemotron_h? nemotron_h_moe?
leading_dense_block_count u32: bailingmoe3 beam cohere2moe dots3note flint laguna afmoe? bailingmoe? bailingmoe2?
  deepseek? deepseek2? deepseek2-ocr? deepseek32? dots1? ernie4_5? ernie4_5-moe? exaone-moe? glm-dsa? glm4moe?
  glm5-next? hy_v4? k2-horizon? kimi-k3? kimi-linear? lfm2moe? minimax-m3? mistral-large4? mistral4? paddleocr?
rope.freq_base_swa f32: dots3note lfm3 muse-spark afmoe? beam? cohere2? cohere2moe? exaone-moe? exaone4?
  gemma-embedding? gemma-embedding2? gemma2? gemma3? gemma3n? gemma4? gemma4-assistant? gpt-oss? laguna? llama4?
  maple? mellum? mimo2? modern-bert? muse-glimmer? olmo2? plamo3? smallthinker? spark2_5? step35?
expert_shared_feed_forward_length u32: flint kolibri1 bailingmoe2? bailingmoe3? cohere2moe? ernie4_5? ernie4_5-moe?
  exaone-moe? granite? granite_swa? granitehybrid? granitemoe? graniteswitch? hunyuan-moe? hy_v3? k2-horizon? laguna?
  nemotron_h? nemotron_h_moe? paddleocr? qwen2moe? qwen35moe? qwen3next? qwen4exp? step35?
attention.sliding_window_pattern u32|[u32]: afmoe? cohere2? cohere2moe? exaone-moe? exaone4? gemma-embedding?
  gemma-embedding2? gemma2? gemma3? gemma3n? gpt-oss? laguna? limite? llama4? mellum? modern-bert? muse-glimmer?
  olmo2? plamo3? smallthinker?
rope.dimension_sections i32x4: qwen2vl qwen35 qwen35moe qwen3tts qwen3vl qwen3vlmoe qwen4exp bailingmoe3? clef?
  deepseek32? dflash? ernie4_5? ernie4_5-moe? glm-dsa? glm4? glm4moe? hunyuan-dense? hunyuan_vl? paddleocr?
ssm.conv_kernel u32: bailingmoe3 falcon-h1 glm5-next granitehybrid jamba kimi-k3 kimi-linear mamba mamba2 nemotron_h
  nemotron_h_moe plamo2 qwen35 qwen35moe qwen3next qwen4exp clef?
attention.sliding_window_pattern [u32]: beam dots3note flint gemma4 gemma4-assistant granite_swa kolibri1 lfm3
  maion-coder maple mimo2 muse-spark spark2_5 step35 dflash?
attention.kv_lora_rank u32: bailingmoe3 deepseek2 deepseek32 dots3note glm-dsa glm5-next hy_v4 kimi-k3 kimi-linear
  minicpm3 mistral-large4 mistral4 plm dflash?
attention.q_lora_rank u32: deepseek32 deepseek4 deepseek41 dots3note glm-dsa glm5-next hy_v4 minicpm3 bailingmoe3?
  deepseek2? dflash? kimi-k3? mistral-large4? mistral4?
logit_scale f32: cohere2 cohere2moe granite granite_swa granitemoe graniteswitch muse-glimmer muse-spark talkie
  command-r? dflash? granitehybrid? grok? minicpm?
ssm.inner_size ssm.state_size ssm.time_step_rank u32: falcon-h1 granitehybrid jamba mamba mamba2 nemotron_h
  nemotron_h_moe plamo2 qwen35 qwen35moe qwen3next qwen4exp clef?
attention.key_length_mla attention.value_length_mla u32: bailingmoe3 dots3note glm5-next hy_v4 kimi-k3 kimi-linear
  mistral-large4 deepseek2? deepseek32? dflash? glm-dsa? mistral4?
ssm.group_count u32: falcon-h1 granitehybrid mamba2 nemotron_h nemotron_h_moe plamo2 qwen35 qwen35moe qwen3next
  qwen4exp clef?
attention.indexer.head_count attention.indexer.key_length attention.indexer.top_k u32: deepseek32 deepseek4 deepseek41
  dots3note glm-dsa glm5-next minimax-m3 mistral-large4 qwen4exp hy_v4?
embedding_scale f32: dflash? granite? granite_swa? granitehybrid? granitemoe? graniteswitch? grok? hrm_text? minicpm?
final_logit_softcapping f32: muse-spark beam? dflash? gemma2? gemma3? gemma4? grok? mistral-large4? muse-glimmer?
swiglu_clamp_exp f32s: deepseek4 deepseek41 maple bailingmoe3? dflash? glm5-next? hy_v4? step35?
attention.scale f32: limite dflash? granite? granite_swa? granitehybrid? granitemoe? graniteswitch?
residual_scale f32: minimax-01 granite? granite_swa? granitehybrid? granitemoe? graniteswitch? minicpm?
attention.recurrent_layers u32s: clef? minimax-01? qwen35? qwen35moe? qwen3next? qwen4exp?
full_attention_interval u32: clef? minimax-01? qwen35? qwen35moe? qwen3next? qwen4exp?
hyper_connection.count u32: deepseek4 deepseek41 glm5-next hy_v4 qwen4exp dflash?
rope.scaling.yarn_log_multiplier f32: deepseek2? deepseek32? dflash? mistral-large4? mistral3? mistral4?
swiglu_clamp_shexp f32s: bailingmoe3? deepseek4? deepseek41? dflash? glm5-next? step35?
hyper_connection.epsilon f32: deepseek4 deepseek41 glm5-next hy_v4 dflash?
interleave_moe_layer_step u32: ernie4_5-moe llama4 maion-coder ernie4_5? paddleocr?
attention.indexer.types u32s-run: glm-dsa? glm5-next? hy_v4? mistral-large4?
attention.temperature_length u32: beam? deepseek2? grok? mistral4?
attention.temperature_scale f32: beam? deepseek2? mistral3? mistral4?
embedding_length_per_layer_input u32: gemma-embedding2 gemma4 deepseek41? qwen4exp?
hyper_connection.sinkhorn_iterations u32: deepseek4 deepseek41 glm5-next dflash?
kda.head_dim u32: bailingmoe3 glm5-next kimi-k3 kimi-linear
moe_latent_size u32: maion-coder muse-spark nemotron_h? nemotron_h_moe?
rope.scaling.yarn_beta_fast rope.scaling.yarn_beta_slow f32: grok? k2-horizon? laguna? mistral3?
token_shift_count u32: arwkv7? rwkv6? rwkv6qwen2? rwkv7?
vocab_size u32: deepseek2? llama? llama-embed? mistral4?
wkv.head_size u32: arwkv7 rwkv6 rwkv6qwen2 rwkv7
attention.clamp_kqv f32: dbrx mpt? olmo?
attention.compress_ratios [u32]: deepseek4 deepseek41 dflash?
attention.output_group_count attention.output_lora_rank u32: deepseek4 deepseek41 dflash?
decision.block_count u32: clef lfm2? modern-bert?
kda.gate_lower_bound f32: bailingmoe3 glm5-next? kimi-k3?
n_deepstack_layers u32: qwen3tts? qwen3vl? qwen3vlmoe?
shortconv.l_cache u32: lfm2 lfm2moe lfm3
attention.compress_rope_freq_base f32: deepseek4 deepseek41
attention.decay_lora_rank attention.iclr_lora_rank attention.value_residual_mix_lora_rank u32: arwkv7 rwkv7
attention.gate_lora_rank u32: arwkv7? rwkv7?
attention.group_norm_groups u32: k2-horizon? wavtokenizer-dec?
attention.key_length_swa attention.value_length_swa u32: gemma4 gemma4-assistant
attention.max_alibi_bias f32: jais? mpt?
attention.relative_buckets_count u32: t5 t5encoder
attention.rope_pattern [u32]: flint granite_swa?
attention.shared_kv_layers u32: gemma4? gemma4-assistant?
attention.value_scale f32: dflash? mimo2?
attn_logit_softcapping f32: gemma2? grok?
deepstack_mapping [u32]: granite? granite_swa?
hash_layer_count u32: deepseek4 deepseek41
hidden_activation str: dflash? modern-bert?
moe_every_n_layers u32: k2-horizon? nomic-bert-moe?
ple.head_offsets ple.head_vocab_sizes ple.layer_multipliers [u64]: deepseek41? qwen4exp?
ple.heads_per_ngram ple.ngram_size u32: deepseek41? qwen4exp?
ple.layers [i32]: deepseek41? qwen4exp?
rescale_every_n_layers u32: rwkv6? rwkv6qwen2?
target_layers [i32]: dflash? eagle3?
time_decay_extra_dim time_mix_extra_dim u32: rwkv6 rwkv6qwen2
=lilicorr.candidate_topk =lilicorr.hidden_size =lilicorr.num_heads =lilicorr.num_layers block_size conv_group_size
  conv_kernel_size selector_rank selector_top_k u32: dflash?
=lilicorr.logit_scale =lilicorr.vector_eps f32: dflash?
=xielu.alpha_n =xielu.alpha_p =xielu.beta =xielu.eps f32s-run: apertus
activation.situ_beta activation.situ_linear_beta f32: kimi-k3
adapters.count adapters.lora_rank u32: graniteswitch
adapters.router_gain f32: graniteswitch?
adapters.token_ids_activate adapters.token_ids_substitute [i32]: graniteswitch
attention.compress_ratios u32s: qwen4exp?
attention.group_norm_epsilon f32: wavtokenizer-dec?
attention.indexer.block_size attention.indexer.local_blocks u32: minimax-m3
attention.indexer.candidate_block_size attention.indexer.candidate_top_k_blocks engram.pad_token_id u32: deepseek41?
attention.indexer.candidate_source_layer i32: deepseek41?
attention.indexer.kpool u32: glm5-next
attention.indexer.kpool_select_tail bool: glm5-next?
attention.indexer.source_layers attention.kv_source_layers [i32]: deepseek41
attention.indexer.types [u32]: dots3note
attention.key_length_mla_swa attention.kv_lora_rank_swa attention.value_length_mla_swa u32: dots3note
attention.kv_source_map attention.rope_pattern u32s-run: mistral-large4?
attention.output_scale rope.scaling.yarn_attn_factor rope.scaling.yarn_ext_factor router_logit_softcapping f32: grok?
attention.value_expert_count attention.value_expert_used_count u32: k2-horizon?
attention.xsa_epsilon f32: limite?
attention.key_length attention.value_length u32: plamo2?
attn_res.block_size u32: kimi-k3
classifier.activation str: modern-bert?
decision.head_count decision.routing_block_count u32: clef
decoder_block_count decoder_start_token_id u32: t5?
dense_2_feat_in dense_2_feat_out dense_3_feat_in dense_3_feat_out u32: gemma-embedding?
engram.token_map [i32]: deepseek41?
expert_chunk_feed_forward_length u32: grovemoe?
expert_group_scale f32: grovemoe
expert_latent_length u32: kimi-k3?
experts_per_group u32: grovemoe
final_logit_sigmoid_capping [f32]: limite?
hrm.h_cycles hrm.l_cycles hrm.layers_per_stack u32: hrm_text
hrm.prefix_lm bool: hrm_text?
hyper_connection.low_rank u32: qwen4exp
hyper_connection.magnitude f32: hy_v4
hyper_connection.single_pass bool: dflash?
kda.safe_gate bool: bailingmoe3?
mudd.feed_forward_length mudd.tap_count u32: limite?
mudd.tap_indices [u32]: limite?
norm_before_fc norm_before_residual bool: eagle3?
num_loops u32: nanbeige?
ple.conv_kernel ple.eos_token_id ple.image_token_id u32: qwen4exp?
post_norm_epsilon f32: muse-spark
realtime_delay_tokens u32: mistral3?
rope.freq_base_spatial f32: sensenova_u1
skip_loop_final_norm bool: nanbeige?
ssm.dt_b_c_rms bool: mamba?
swin_norm bool: chameleon?
target_hidden_size u32: eagle3
use_parallel_residual bool: gptneox
`;

/**
 * Keys that have a default with which llama.cpp v0.5.0 aborts when it builds the graph (`GGML_ASSERT` in the graphs of
 * `src/models/*.cpp`, `build_moe_ffn` and its gating function); written like the others.
 */
export const KEYS_WITH_BAD_DEFAULTS = `
expert_gating_func u32: dots1 hy_v4 minimax-m2 smallthinker
attention.sliding_window u32: afmoe
attention.value_length u32: deepseek4
rope.dimension_count u32: deepseek4
token_shift_count u32: arwkv7
`;
