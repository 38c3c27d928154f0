import { layerOf, nameInBlock } from '../../model/block-name.js';
import type { Hparams } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import { type WeightOp, weightOp } from './weight-op.js';

/** A layer's number, or the output head, which counts as the layer after the last. */
export type Position = number | 'input';

/** What HRM starts from. */
export const INITIAL_STATE = 'hrm.z_l_init';
const INPUT_TENSORS = /^(token_embd|position_embd|token_types|per_layer_token_embd)\.weight$|^hrm\.z_l_init$/;
const OUTPUT_TENSORS =
  /^(output|fc|d2t|nextn\.post_projection|(?:enc\.|dec\.)?output_norm|cls|cls\.output|cls\.norm|dense_[23]|altup_proj|altup_unembd_proj|output_hc_(?:fn|base|scale|norm|down|up)|output_res_score)(\.(weight|bias|scale))?$/;
/** One tensor in the file that every layer loads for itself. */
const PER_LAYER_COPIES = /^rope_(freqs|factors_long|factors_short)\.weight$/;
/** Weights that no graph uses: `GGML_OP_NONE` in `llm_tensor_info`. */
const NEVER_LOADED = /\.cross_attn_rel_b\.weight$/;

/** Whose device a weight outside of blocks is used on, by its name: `LLM_TENSOR_INFOS` (`src/llama-arch.cpp`, llama.cpp v0.5.0). */
function positionOf(name: string, { hparams, architecture }: ModelShape): Position {
  if (INPUT_TENSORS.test(name)) return 'input';
  if (OUTPUT_TENSORS.test(name)) return hparams.nLayerAll;
  return name === 'token_embd_norm.weight' && architecture.startsWith('lfm2') ? hparams.nLayerAll : 0;
}

/** What a tensor's name says of a weight. */
export interface NamedWeight {
  /** The block that the name puts it in. */
  readonly layer: number | undefined;
  readonly position: Position;
  readonly op: WeightOp;
  /** A number for the name without the block, which all layers share. */
  readonly kind: number;
  readonly isLoaded: boolean;
  /** Every layer loads it for itself. */
  readonly isPerLayer: boolean;
}

interface KnownNames {
  readonly weights: Map<string, NamedWeight>;
  /** By the name without the block. */
  readonly kinds: Map<string, Pick<NamedWeight, 'op' | 'kind'>>;
}

/** A model's quantizations have the same names. */
const NAMES = new WeakMap<Hparams, KnownNames>();

/** Each name of a model is read once. */
export function namedWeights(shape: ModelShape): (name: string) => NamedWeight {
  const known: KnownNames = NAMES.get(shape.hparams) ?? { weights: new Map(), kinds: new Map() };
  NAMES.set(shape.hparams, known);
  const { weights, kinds } = known;
  return (name) => {
    const before = weights.get(name);
    if (before !== undefined) return before;
    const layer = layerOf(name);
    const inBlock = layer === undefined ? name : nameInBlock(name);
    const { op, kind } = kinds.get(inBlock) ?? { op: weightOp(inBlock, shape.architecture), kind: kinds.size };
    kinds.set(inBlock, { op, kind });
    const isPerLayer = layer === undefined && PER_LAYER_COPIES.test(name);
    const isLoaded = !NEVER_LOADED.test(name);
    const named = { layer, position: layer ?? positionOf(name, shape), op, kind, isLoaded, isPerLayer };
    weights.set(name, named);
    return named;
  };
}
