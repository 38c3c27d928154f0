import type { ModelShape } from '../../model/model-shape.js';

/** A layer's number, or the output head, which counts as the layer after the last. */
export type Position = number | 'input';

const INPUT_TENSORS = /^(token_embd|position_embd|token_types|per_layer_token_embd)\.weight$|^hrm\.z_l_init$/;
const OUTPUT_TENSORS =
  /^(output|fc|d2t|nextn\.post_projection|(?:enc\.|dec\.)?output_norm|cls|cls\.output|cls\.norm|dense_[23]|altup_proj|altup_unembd_proj|output_hc_(?:fn|base|scale|norm|down|up)|output_res_score)(\.(weight|bias|scale))?$/;
/** One tensor in the file that every layer loads for itself. */
export const PER_LAYER_COPIES = /^rope_(freqs|factors_long|factors_short)\.weight$/;
/** Weights that no graph uses: `GGML_OP_NONE` in `llm_tensor_info`. */
export const NEVER_LOADED = /\.cross_attn_rel_b\.weight$/;

const BLOCK = /^(?:enc\.|dec\.)?blk\.(\d+)\./;

/** Whose device a weight is used on, by its name: `LLM_TENSOR_INFOS` (`src/llama-arch.cpp`, llama.cpp v0.5.0). */
export function positionOf(name: string, { hparams, architecture }: ModelShape): Position {
  const layer = layerOf(name);
  if (layer !== undefined) return layer;
  if (INPUT_TENSORS.test(name)) return 'input';
  if (OUTPUT_TENSORS.test(name)) return hparams.nLayerAll;
  return name === 'token_embd_norm.weight' && architecture.startsWith('lfm2') ? hparams.nLayerAll : 0;
}

/** The block that a tensor's name puts it in. */
export function layerOf(name: string): number | undefined {
  const match = BLOCK.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** A tensor's name without its block, which all layers share. */
export function nameInBlock(name: string): string {
  return name.replace(BLOCK, '');
}
