import type { GgufTensor } from '../../gguf/header.js';
import { sameNumbers } from '../../gguf/same-numbers.js';
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
function positionOf(name: string, { hparams, architecture }: Pick<ModelShape, 'hparams' | 'architecture'>): Position {
  if (INPUT_TENSORS.test(name)) return 'input';
  if (OUTPUT_TENSORS.test(name)) return hparams.nLayerAll;
  return name === 'token_embd_norm.weight' && architecture.startsWith('lfm2') ? hparams.nLayerAll : 0;
}

/** What a tensor's name says of a weight. */
export interface NamedWeight {
  readonly name: string;
  /** The block that the name puts it in. */
  readonly layer: number | undefined;
  readonly position: Position;
  readonly op: WeightOp;
  readonly dims: readonly number[];
  /** A number for its shape and the name without the block, which all layers share. */
  readonly kind: number;
  readonly isLoaded: boolean;
  /** Every layer loads it for itself. */
  readonly isPerLayer: boolean;
}

interface KnownNames {
  readonly weights: Map<string, NamedWeight>;
  /** By the name without the block, and the shape. */
  readonly kinds: Map<string, Pick<NamedWeight, 'op' | 'kind'>>;
  /** Of the model that was asked for last. */
  list: readonly NamedWeight[];
}

/** A model's quantizations have the same names and shapes. */
const NAMES = new WeakMap<Hparams, KnownNames>();

type Named = Pick<GgufTensor, 'name' | 'dims'>;

/** Each name of a model is read once. */
export function namedWeight(
  { name, dims }: Named,
  { hparams, architecture }: Pick<ModelShape, 'hparams' | 'architecture'>,
): NamedWeight {
  const { weights, kinds } = knownNames(hparams);
  const before = weights.get(name);
  if (before !== undefined && sameNumbers(before.dims, dims)) return before;
  const layer = layerOf(name);
  const inBlock = layer === undefined ? name : nameInBlock(name);
  const key = `${inBlock} ${dims.join('x')}`;
  const { op, kind } = kinds.get(key) ?? { op: weightOp(inBlock, architecture), kind: kinds.size };
  kinds.set(key, { op, kind });
  const isPerLayer = layer === undefined && PER_LAYER_COPIES.test(name);
  const isLoaded = !NEVER_LOADED.test(name);
  const position = layer ?? positionOf(name, { hparams, architecture });
  const named = { name, layer, position, op, dims, kind, isLoaded, isPerLayer };
  weights.set(name, named);
  return named;
}

const LISTS = new WeakMap<ModelShape, readonly NamedWeight[]>();

/** Of all of a model's tensors, in order: the very same list for its quantizations. */
export function namedWeights(shape: ModelShape): readonly NamedWeight[] {
  const before = LISTS.get(shape);
  if (before !== undefined) return before;
  const known = knownNames(shape.hparams);
  if (!isListOf(known.list, shape))
    known.list = Array.from(shape.tensors.values(), (tensor) => namedWeight(tensor, shape));
  LISTS.set(shape, known.list);
  return known.list;
}

function knownNames(hparams: Hparams): KnownNames {
  const known: KnownNames = NAMES.get(hparams) ?? { weights: new Map(), kinds: new Map(), list: [] };
  NAMES.set(hparams, known);
  return known;
}

function isListOf(list: readonly NamedWeight[], { tensors }: ModelShape): boolean {
  if (list.length !== tensors.size) return false;
  let at = 0;
  for (const { name, dims } of tensors.values()) {
    const named = list[at++] as NamedWeight;
    if (named.name !== name || !sameNumbers(named.dims, dims)) return false;
  }
  return true;
}
