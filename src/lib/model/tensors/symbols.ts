import { headKOf, headVOf, kWidth, vWidth } from '../hparams.js';
import type { ModelShape } from '../model-shape.js';
import { table } from '../../table.js';

type Value = (shape: ModelShape, layer: number) => number;

/** Hyperparameters that are read from one key each, whatever the architecture, and are 0 without it. */
const KEYS = table<string>({
  n_ff_shexp: 'expert_shared_feed_forward_length',
  n_expert_shared: 'expert_shared_count',
  n_lora_q: 'attention.q_lora_rank',
  n_lora_kv: 'attention.kv_lora_rank',
  n_lora_kv_swa: 'attention.kv_lora_rank_swa',
  n_embd_head_k_mla_swa: 'attention.key_length_mla_swa',
  n_embd_head_v_mla_swa: 'attention.value_length_mla_swa',
  ssm_d_conv: 'ssm.conv_kernel',
  ssm_d_state: 'ssm.state_size',
  ssm_dt_rank: 'ssm.time_step_rank',
  ssm_n_group: 'ssm.group_count',
  ssm_d_inner: 'ssm.inner_size',
  indexer_head_size: 'attention.indexer.key_length',
  indexer_n_head: 'attention.indexer.head_count',
  indexer_top_k: 'attention.indexer.top_k',
  hc_low_rank: 'hyper_connection.low_rank',
  ple_conv_kernel: 'ple.conv_kernel',
  expert_gating_func: 'expert_gating_func',
  dsv4_hc_mult: 'hyper_connection.count',
  dsv4_o_group_count: 'attention.output_group_count',
  dsv4_o_lora_rank: 'attention.output_lora_rank',
  dsv4_hash_layer_count: 'hash_layer_count',
  n_embd_head_kda: 'kda.head_dim',
  dense_2_feat_out: 'dense_2_feat_out',
  dense_3_feat_in: 'dense_3_feat_in',
  n_shortconv_l_cache: 'shortconv.l_cache',
  time_mix_extra_dim: 'time_mix_extra_dim',
  time_decay_extra_dim: 'time_decay_extra_dim',
  wkv_head_size: 'wkv.head_size',
  n_rel_attn_bkts: 'attention.relative_buckets_count',
  n_embd_per_layer: 'embedding_length_per_layer_input',
  n_group_experts: 'experts_per_group',
  n_ff_chexp: 'expert_chunk_feed_forward_length',
  n_moe_layer_step: 'interleave_moe_layer_step',
  moe_latent_size: 'moe_latent_size',
  moe_every_n_layers: 'moe_every_n_layers',
  n_token_types: 'tokenizer.ggml.token_type_count',
  n_adapters: 'adapters.count',
  max_lora_rank: 'adapters.lora_rank',
  n_hrm_layers_per_stack: 'hrm.layers_per_stack',
  n_expert_latent: 'expert_latent_length',
  attn_res_block_size: 'attn_res.block_size',
  n_lora_decay: 'attention.decay_lora_rank',
  n_lora_iclr: 'attention.iclr_lora_rank',
  n_lora_value_res_mix: 'attention.value_residual_mix_lora_rank',
  n_lora_gate: 'attention.gate_lora_rank',
  n_embd_tgt: 'target_hidden_size',
  norm_before_fc: 'norm_before_fc',
  block_size: 'block_size',
  conv_kernel_size: 'conv_kernel_size',
  conv_group_size: 'conv_group_size',
  selector_rank: 'selector_rank',
  selector_top_k: 'selector_top_k',
});

/** Of DFlash's feed-forwards (`src/models/dflash.cpp`). */
const HIDDEN_ACTIVATIONS: ReadonlySet<string> = new Set(['gelu', 'gelu_pytorch_tanh', 'silu']);

/** The rest of `struct llama_hparams`, and what loaders ask of the file as a whole. */
const VALUES = table<Value>({
  n_layer: ({ hparams }) => hparams.nLayer,
  n_layer_all: ({ hparams }) => hparams.nLayerAll,
  n_layer_nextn: ({ hparams }) => hparams.nLayerNextn,
  n_layer_dense_lead: ({ hparams }) => hparams.nLayerDenseLead,
  n_embd: ({ hparams }) => hparams.nEmbd,
  n_embd_out: ({ hparams }) => hparams.nEmbdOut,
  n_embd_inp: ({ hparams, architecture }) => (architecture === 'gemma4-assistant' ? hparams.nEmbdOut : hparams.nEmbd),
  n_vocab: ({ hparams }) => hparams.nVocab,
  n_ctx_train: ({ hparams }) => hparams.nCtxTrain,
  n_head: ({ hparams }, layer) => hparams.nHead[layer] ?? 0,
  n_head_kv: ({ hparams }, layer) => hparams.nHeadKv[layer] ?? 0,
  n_ff: ({ hparams }, layer) => hparams.nFf[layer] ?? 0,
  n_ff_exp: ({ hparams }, layer) => hparams.nFfExp[layer] ?? 0,
  n_expert: ({ hparams }) => hparams.nExpert,
  n_expert_used: ({ hparams }, layer) => hparams.nExpertUsed[layer] ?? 0,
  n_embd_head_k: ({ hparams }, layer) => headKOf(hparams, layer),
  n_embd_head_v: ({ hparams }, layer) => headVOf(hparams, layer),
  n_embd_head_k_swa: ({ hparams }) => hparams.headKSwa,
  n_embd_head_v_swa: ({ hparams }) => hparams.headVSwa,
  n_embd_k_gqa: ({ hparams }, layer) => kWidth(hparams, layer),
  n_embd_v_gqa: ({ hparams }, layer) => vWidth(hparams, layer),
  n_embd_gqa: ({ hparams }, layer) => vWidth(hparams, layer),
  n_ple_layers: ({ keys }) => keys.list('ple.layers').length,
  n_ple_rows: ({ keys }) => {
    const sizes = keys.list('ple.head_vocab_sizes');
    return Math.max(0, ...keys.list('ple.head_offsets').map((offset, head) => offset + (sizes[head] ?? 0)));
  },
  is_ple: ({ keys }, layer) => Number(keys.list('ple.layers').includes(layer)),
  n_compress_ratios: ({ keys }) => keys.arrayLength('attention.compress_ratios') ?? 0,
  compress_ratio: ({ keys }, layer) => keys.list('attention.compress_ratios')[layer] ?? 0,
  n_rot: ({ hparams, keys }, layer) =>
    hparams.isSwa[layer] ? keys.number('rope.dimension_count_swa', hparams.nRot) : hparams.nRot,
  is_mla: (shape) => Number(isMla(shape)),
  n_embd_head_k_mla: (shape) =>
    isMla(shape) ? shape.keys.number('attention.key_length_mla', 0) : headKOf(shape.hparams, 0),
  n_embd_head_v_mla: (shape) =>
    isMla(shape) ? shape.keys.number('attention.value_length_mla', 0) : headVOf(shape.hparams, 0),
  is_recr: ({ hparams }, layer) => Number(hparams.isRecurrent[layer] ?? false),
  is_swa: ({ hparams }, layer) => Number(hparams.isSwa[layer] ?? false),
  is_indexer_full: ({ hparams }, layer) => Number(hparams.indexer.full[layer] ?? false),
  has_kv: ({ hparams }, layer) => Number(hparams.nLayerKvFromStart < 0 || layer < hparams.nLayerKvFromStart),
  long_rope: ({ hparams }) => Number(hparams.longRope),
  /** Layers without a window rotate half of it (`step35.cpp`). */
  n_rot_max: ({ hparams: { nRot, isSwa, nLayer }, keys }) =>
    Math.max(
      ...isSwa
        .slice(0, nLayer)
        .map((windowed) => (windowed ? keys.number('rope.dimension_count_swa', nRot) : Math.floor(nRot / 2))),
    ),
  num_loops: ({ keys }) => keys.number('num_loops', 1),
  dec_n_layer: ({ hparams, keys }) => keys.number('decoder_block_count', hparams.nLayer),
  n_swa: ({ keys }) => keys.number('attention.sliding_window', 0),
  knows_hidden_act: ({ keys }) => Number(HIDDEN_ACTIVATIONS.has(keys.text('hidden_activation') ?? 'silu')),
  n_activating: ({ keys }) => keys.arrayLength('adapters.token_ids_activate') ?? 0,
  n_substituted: ({ keys }) => keys.arrayLength('adapters.token_ids_substitute') ?? 0,
  n_deepstack_layers: ({ hparams }) => hparams.nDeepstackLayers,
  last_deepstack: ({ keys }) => Math.max(-1, ...(keys.indices('deepstack_mapping') ?? []).map((index) => index | 0)),
  n_target_layers: ({ keys }) => keys.arrayLength('target_layers') ?? 0,
  n_altup: () => 4,
  laurel_rank: () => 64,
  n_embd_altup: () => 256,
  n_cls_out: ({ keys }) => keys.arrayLength('classifier.output_labels') || 1,
  /** The file holds the layers that predict ahead and no others, or the others and not them. */
  only_mtp: ({ hparams, tensors }) => Number(hparams.nLayerNextn > 0 && !tensors.has('blk.0.attn_norm.weight')),
  without_mtp: ({ hparams, tensors }) =>
    Number(hparams.nLayerNextn > 0 && !tensors.has(`blk.${hparams.nLayer}.nextn.eh_proj.weight`)),
});

/** Layer 0's where no layer is named, as in `llama_hparams`. Undefined for words that mean nothing. */
export function symbolValue(name: string, shape: ModelShape, layer: number): number | undefined {
  const key = KEYS[name];
  return key === undefined ? VALUES[name]?.(shape, layer) : shape.keys.number(key, 0);
}

function isMla({ keys }: ModelShape): boolean {
  return keys.number('attention.key_length_mla', 0) !== 0 && keys.number('attention.value_length_mla', 0) !== 0;
}
