import type { GgufTensor } from '../../gguf/header.js';
import type { Hparams } from '../../model/hparams.js';
import type { Backend } from '../ggml/backend.js';
import * as ggml from '../ggml/ops/ops.js';
import { ssmConv, ssmScan } from '../ggml/ops/recurrent-ops.js';
import { contiguousStrides, F32, I32, Tensor } from '../ggml/tensor.js';

/** The op that llama.cpp tries a weight with before it gives it to a device. */
export type WeightOp =
  'MUL_MAT' | 'MUL_MAT_ID' | 'GET_ROWS' | 'ADD' | 'ADD_ID' | 'MUL' | 'DIV' | 'ROPE' | 'SCALE' | 'SSM_CONV' | 'SSM_SCAN';

type Weight = Pick<GgufTensor, 'dims' | 'type'>;

/** `LLM_TENSOR_INFOS` (`src/llama-arch.cpp`, llama.cpp v0.5.0) by the name without block and suffix; MUL_MAT where none fits. */
const OPS: readonly (readonly [RegExp, WeightOp])[] = [
  [/_norm(_\d|_exps)?$|^(output_norm|cls\.norm|ple_norm_(key|query|conv)|nextn\.[eh]norm|.*\.[qk]_norm)$/, 'MUL'],
  [/^(token_embd|position_embd|token_types|per_layer_token_embd|d2t|attn_rel_b|nextn\.embed_tokens)$/, 'GET_ROWS'],
  [/compressor_ape$|tid2eid$/, 'GET_ROWS'],
  [/^rope_(freqs|factors_long|factors_short)$/, 'ROPE'],
  [/_(ch)?exps$/, 'MUL_MAT_ID'],
  [/^(ssm_conv1d|shortconv\.conv|ple_conv1d)$/, 'SSM_CONV'],
  [/^ssm_a$/, 'SSM_SCAN'],
  [/^attn_sinks$/, 'SCALE'],
  [/^ffn\.act$/, 'DIV'],
  [/^exp_probs_b(_vl)?$|hc_(attn_|ffn_)?base$|^hrm\.z_l_init$/, 'ADD'],
  [/^time_mix_(lerp_([wkvrg]|fused)|decay|[wav]0)$/, 'ADD'],
  [/^(layer_output_scale|altup_correct_scale|ssm_d|ssm_conv1d_[qkv])$|_res_score$|_conv_base$/, 'MUL'],
  [/hc_(attn_|ffn_)?scale$|^(time_mix_(lerp_x|ln|k_k|k_a|r_k)|channel_mix_lerp_[kr])$/, 'MUL'],
];

/** `ssm_a` is a factor here, not a scan's: `LLM_TENSOR_SSM_A_NOSCAN`. */
const DECAY_IS_FACTOR = new Set([
  'qwen3next',
  'qwen35',
  'qwen35moe',
  'qwen4exp',
  'kimi-linear',
  'kimi-k3',
  'bailingmoe3',
]);

/** `buft_for_tensor` of `create_tensor` (`src/llama-model-loader.cpp`, llama.cpp v0.5.0). */
export function weightOp(name: string, architecture: string): WeightOp {
  const [, base = name, suffix] =
    /^(?:(?:enc\.|dec\.)?blk\.\d+\.)?(.+?)(?:\.(weight|bias|scale|input_scale|lora_[ab]))?$/.exec(name) ?? [];
  if (suffix?.startsWith('lora_')) return 'MUL_MAT_ID';
  const op = OPS.find(([pattern]) => pattern.test(base))?.[1] ?? 'MUL_MAT';
  if (suffix === 'bias') return op === 'MUL_MAT_ID' ? 'ADD_ID' : 'ADD';
  return op === 'SSM_SCAN' && DECAY_IS_FACTOR.has(architecture) ? 'MUL' : op;
}

const TRIED_TOKENS = 512;
const TRIED_SEQUENCES = 3;

/** `weight_buft_supported` (`src/llama-model-loader.cpp`, llama.cpp v0.5.0): whether a device can run the weight's op. */
export function supportsWeight(backend: Backend, weight: Weight, op: WeightOp, hparams: Hparams): boolean {
  return backend.supportsOp(triedOp(blank(weight), op, hparams));
}

function blank({ type, dims: [ne0 = 1, ne1 = 1, ne2 = 1, ne3 = 1] }: Weight): Tensor {
  return new Tensor(type, [ne0, ne1, ne2, ne3], contiguousStrides(type, [ne0, ne1, ne2, ne3]));
}

function floats(...dims: number[]): Tensor {
  return blank({ type: F32, dims });
}

function integers(...dims: number[]): Tensor {
  return blank({ type: I32, dims });
}

function triedOp(w: Tensor, op: WeightOp, hparams: Hparams): Tensor {
  const [ne0, ne1, ne2, ne3] = w.ne;
  const used = Math.max(1, ...hparams.nExpertUsed);
  switch (op) {
    case 'GET_ROWS':
      return ggml.getRows(w, integers(TRIED_TOKENS));
    case 'MUL_MAT':
      return ggml.mulMat(w, floats(ne0, TRIED_TOKENS, ne2, ne3));
    case 'MUL_MAT_ID':
      return ggml.mulMatId(w, floats(ne0, used, TRIED_TOKENS), integers(used, TRIED_TOKENS));
    case 'ADD':
      return ggml.add(floats(...w.ne), w);
    case 'ADD_ID':
      return ggml.addId(floats(ne0, used, TRIED_TOKENS), w, integers(used, TRIED_TOKENS));
    case 'MUL':
      return ggml.mul(floats(...w.ne), w);
    case 'DIV':
      return ggml.div(floats(ne0), w);
    case 'ROPE':
      return ggml.rope(floats(hparams.headV, hparams.nHead[0] ?? 1, TRIED_TOKENS), integers(TRIED_TOKENS), w);
    case 'SCALE':
      return ggml.scale(w);
    case 'SSM_CONV':
      return ssmConv(floats(ne0 - 1 + TRIED_TOKENS, ne1, TRIED_SEQUENCES), w);
    case 'SSM_SCAN':
      return triedScan(w, hparams);
  }
}

/** The decay's shape tells Mamba and Mamba-2 apart. */
function triedScan(w: Tensor, { ssm }: Hparams): Tensor {
  const [ne0, heads] = w.ne;
  const state = ne0 === 1 ? ssm.state : ne0;
  const groups = ssm.groups || 1;
  const headSize = Math.floor(ssm.inner / heads);
  const b = floats(state, groups, TRIED_TOKENS, TRIED_SEQUENCES);
  return ssmScan(
    floats(state, headSize, heads, TRIED_SEQUENCES),
    floats(headSize, heads, TRIED_TOKENS, TRIED_SEQUENCES),
    floats(heads, TRIED_TOKENS, TRIED_SEQUENCES),
    w,
    b,
    b,
    integers(TRIED_SEQUENCES),
  );
}
