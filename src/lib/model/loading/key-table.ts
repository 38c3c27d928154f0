/**
 * The keys without which llama.cpp does not load a model: what `load_arch_hparams` in `src/models/*.cpp` requires by
 * `ml.get_key`, `get_key_or_arr` and `get_arr`, in v0.5.0 and b12032 both where both know the architecture. A line is a
 * key (after `=` one that has no architecture's name in front), its type in the file (with `s`: one value or one a layer;
 * `list`: an array only) and the architectures that ask for it; an indented line goes on with them. What every
 * architecture needs is asked for in `hparams.ts`.
 */
export const REQUIRED_KEYS = `
attention.layer_norm_rms_epsilon f32: afmoe apertus arcee arctic baichuan bailingmoe bailingmoe2 bailingmoe3 beam
  bitnet chameleon chatglm cogvlm deci deepseek deepseek2 deepseek2-ocr deepseek32 deepseek4 dflash dots1 dots3note
  dream eagle3 ernie4_5 ernie4_5-moe eurobert exaone exaone-moe exaone4 falcon-h1 flint gemma gemma-embedding
  gemma-embedding2 gemma2 gemma3 gemma3n gemma4 gemma4-assistant glm-dsa glm4 glm4moe glm5-next gpt-oss granite
  granite_swa granitehybrid granitemoe graniteswitch grok grovemoe hrm_text hunyuan-dense hunyuan-moe hunyuan_vl hy_v3
  hy_v4 internlm2 jamba k2-horizon kimi-k3 kimi-linear kolibri1 laguna lfm2 lfm2moe lfm3 limite llada llada-moe llama
  llama-embed llama4 maincoder maion-coder mamba mamba2 maple mellum mimo2 minicpm minicpm3 minimax-01 minimax-m2
  minimax-m3 mistral-large4 mistral3 mistral4 muse-glimmer muse-spark nanbeige neo-bert olmo2 olmoe openelm paddleocr
  pangu-embedded phi3 phimoe plamo plamo2 plamo3 plm qwen qwen2 qwen2moe qwen3 qwen35 qwen35moe qwen3moe qwen3next
  qwen3tts qwen3vl qwen3vlmoe qwen4exp refact rnd1 seed_oss sensenova_u1 smallthinker smollm3 spark2_5 step35 t5
  t5encoder talkie xverse
expert_feed_forward_length u32s: afmoe bailingmoe bailingmoe2 bailingmoe3 beam cohere2moe deepseek deepseek2
  deepseek2-ocr deepseek32 deepseek4 dots1 dots3note ernie4_5-moe exaone-moe flint glm-dsa glm4moe glm5-next gpt-oss
  grovemoe hunyuan-moe hy_v3 hy_v4 kimi-k3 kimi-linear kolibri1 laguna lfm2moe llama4 maion-coder maple mellum mimo2
  minimax-m2 minimax-m3 mistral-large4 mistral4 step35
attention.layer_norm_epsilon f32: bert bloom clef codeshell cohere2 command-r dbrx falcon gpt2 gptneox jais jais2
  jina-bert-v2 jina-bert-v3 mistral-large4 modern-bert mpt nemotron nemotron_h nemotron_h_moe nomic-bert
  nomic-bert-moe olmo orion phi2 pockettts stablelm starcoder starcoder2 vllm-decision2
attention.sliding_window u32: beam cohere2 cohere2moe deepseek4 dots3note exaone-moe flint gemma-embedding
  gemma-embedding2 gemma3n gemma4 gemma4-assistant gpt-oss granite_swa kolibri1 lfm3 limite maion-coder maple mimo2
  muse-glimmer muse-spark spark2_5 step35
expert_shared_count u32: afmoe bailingmoe bailingmoe2 bailingmoe3 deepseek deepseek2 deepseek2-ocr deepseek32
  deepseek4 dots1 dots3note flint glm-dsa glm4moe glm5-next hy_v4 kimi-k3 kimi-linear kolibri1 minimax-m3
  mistral-large4 mistral4
ssm.conv_kernel u32: bailingmoe3 falcon-h1 glm5-next granitehybrid jamba kimi-k3 kimi-linear mamba mamba2 nemotron_h
  nemotron_h_moe plamo2 qwen35 qwen35moe qwen3next qwen4exp
attention.sliding_window_pattern list: beam dots3note flint gemma4 gemma4-assistant granite_swa kolibri1 lfm3
  maion-coder maple mimo2 muse-spark spark2_5 step35
expert_gating_func u32: bailingmoe2 bailingmoe3 deepseek32 deepseek4 dots3note exaone-moe flint kimi-k3 kimi-linear
  kolibri1 lfm2moe minimax-m3 mistral-large4 muse-spark
attention.kv_lora_rank u32: bailingmoe3 deepseek2 deepseek32 dots3note glm-dsa glm5-next hy_v4 kimi-k3 kimi-linear
  minicpm3 mistral-large4 mistral4 plm
ssm.inner_size u32: falcon-h1 granitehybrid jamba mamba mamba2 nemotron_h nemotron_h_moe plamo2 qwen35 qwen35moe
  qwen3next qwen4exp
ssm.state_size u32: falcon-h1 granitehybrid jamba mamba mamba2 nemotron_h nemotron_h_moe plamo2 qwen35 qwen35moe
  qwen3next qwen4exp
ssm.time_step_rank u32: falcon-h1 granitehybrid jamba mamba mamba2 nemotron_h nemotron_h_moe plamo2 qwen35 qwen35moe
  qwen3next qwen4exp
ssm.group_count u32: falcon-h1 granitehybrid mamba2 nemotron_h nemotron_h_moe plamo2 qwen35 qwen35moe qwen3next
  qwen4exp
logit_scale f32: cohere2 cohere2moe granite granite_swa granitemoe graniteswitch muse-glimmer muse-spark talkie
attention.indexer.head_count u32: deepseek32 deepseek4 dots3note glm-dsa glm5-next minimax-m3 mistral-large4 qwen4exp
attention.indexer.key_length u32: deepseek32 deepseek4 dots3note glm-dsa glm5-next minimax-m3 mistral-large4 qwen4exp
attention.indexer.top_k u32: deepseek32 deepseek4 dots3note glm-dsa glm5-next minimax-m3 mistral-large4 qwen4exp
attention.key_length_mla u32: bailingmoe3 dots3note glm5-next hy_v4 kimi-k3 kimi-linear mistral-large4
attention.q_lora_rank u32: deepseek32 deepseek4 dots3note glm-dsa glm5-next hy_v4 minicpm3
attention.value_length_mla u32: bailingmoe3 dots3note glm5-next hy_v4 kimi-k3 kimi-linear mistral-large4
rope.dimension_sections u32s: qwen2vl qwen35 qwen35moe qwen3tts qwen3vl qwen3vlmoe qwen4exp
leading_dense_block_count u32: bailingmoe3 beam cohere2moe dots3note flint laguna
expert_weights_norm bool: beam deepseek4 flint kolibri1 muse-spark
hyper_connection.count u32: deepseek4 glm5-next hy_v4 qwen4exp
kda.head_dim u32: bailingmoe3 glm5-next kimi-k3 kimi-linear
wkv.head_size u32: arwkv7 rwkv6 rwkv6qwen2 rwkv7
expert_weights_scale f32: beam deepseek4 muse-spark
hyper_connection.epsilon f32: deepseek4 glm5-next hy_v4
interleave_moe_layer_step u32: ernie4_5-moe llama4 maion-coder
rope.freq_base_swa f32: dots3note lfm3 muse-spark
shortconv.l_cache u32: lfm2 lfm2moe lfm3
attention.decay_lora_rank u32: arwkv7 rwkv7
attention.iclr_lora_rank u32: arwkv7 rwkv7
attention.key_length_swa u32: gemma4 gemma4-assistant
attention.relative_buckets_count u32: t5 t5encoder
attention.value_length_swa u32: gemma4 gemma4-assistant
attention.value_residual_mix_lora_rank u32: arwkv7 rwkv7
embedding_length_per_layer_input u32: gemma-embedding2 gemma4
expert_shared_feed_forward_length u32: flint kolibri1
hyper_connection.sinkhorn_iterations u32: deepseek4 glm5-next
moe_latent_size u32: maion-coder muse-spark
swiglu_clamp_exp f32s: deepseek4 maple
time_decay_extra_dim u32: rwkv6 rwkv6qwen2
time_mix_extra_dim u32: rwkv6 rwkv6qwen2
activation.situ_beta f32: kimi-k3
activation.situ_linear_beta f32: kimi-k3
adapters.count u32: graniteswitch
adapters.lora_rank u32: graniteswitch
adapters.token_ids_activate list: graniteswitch
adapters.token_ids_substitute list: graniteswitch
attention.clamp_kqv f32: dbrx
attention.compress_ratios list: deepseek4
attention.compress_rope_freq_base f32: deepseek4
attention.indexer.block_size u32: minimax-m3
attention.indexer.kpool u32: glm5-next
attention.indexer.local_blocks u32: minimax-m3
attention.indexer.source_layers list: deepseek41
attention.indexer.types list: dots3note
attention.key_length_mla_swa u32: dots3note
attention.kv_lora_rank_swa u32: dots3note
attention.kv_source_layers list: deepseek41
attention.output_group_count u32: deepseek4
attention.output_lora_rank u32: deepseek4
attention.rope_pattern list: flint
attention.scale f32: limite
attention.value_length_mla_swa u32: dots3note
attn_res.block_size u32: kimi-k3
decision.block_count u32: clef
decision.head_count u32: clef
decision.routing_block_count u32: clef
expert_group_scale f32: grovemoe
experts_per_group u32: grovemoe
final_logit_softcapping f32: muse-spark
hash_layer_count u32: deepseek4
hrm.h_cycles u32: hrm_text
hrm.l_cycles u32: hrm_text
hrm.layers_per_stack u32: hrm_text
hyper_connection.low_rank u32: qwen4exp
hyper_connection.magnitude f32: hy_v4
kda.gate_lower_bound f32: bailingmoe3
post_norm_epsilon f32: muse-spark
residual_scale f32: minimax-01
rope.freq_base_spatial f32: sensenova_u1
target_hidden_size u32: eagle3
use_parallel_residual bool: gptneox
=xielu.alpha_n f32s: apertus
=xielu.alpha_p f32s: apertus
=xielu.beta f32s: apertus
=xielu.eps f32s: apertus
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
