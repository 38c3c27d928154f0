import { checkExpertCounts, checkLayerCounts } from './loading/count-limits.js';
import type { Keys } from './keys.js';

/** State-space dimensions: `<arch>.ssm.*`. */
export interface SsmShape {
  readonly conv: number;
  readonly inner: number;
  readonly state: number;
  readonly dtRank: number;
  readonly groups: number;
}

/**
 * `struct llama_hparams` (`src/llama-hparams.h`, llama.cpp v0.5.0), as far as memory depends on it. Counts are per layer
 * where llama.cpp keeps them per layer. Architectures adjust it in `architectures.ts`.
 */
export interface Hparams {
  nLayerAll: number;
  /** Layers at the end that only predict further tokens; the main context neither loads nor runs them. */
  nLayerNextn: number;
  nLayer: number;
  nCtxTrain: number;
  nCtxOrigYarn: number;
  /** How positions are scaled: `rope_scaling_type_train`, `rope_freq_scale_train`. */
  rope: { scaling: string; freqScale: number };
  nEmbd: number;
  nEmbdOut: number;
  nVocab: number;
  causal: boolean;
  /** `llama_model_has_encoder`, `llama_model_has_decoder`: T5. */
  encoder: 'none' | 'alone' | 'with-decoder';
  /** `enum llama_pooling_type`: -1 unspecified, 0 none, 1 mean, 2 cls, 3 last, 4 rank. */
  pooling: number;
  nHead: number[];
  nHeadKv: number[];
  nFf: number[];
  headK: number;
  headV: number;
  headKSwa: number;
  headVSwa: number;
  /** 0 unless multi-head latent attention in the new layout. */
  headKMla: number;
  headVMla: number;
  nRot: number;
  nExpert: number;
  nExpertUsed: number[];
  nFfExp: number[];
  nExpertGroups: number;
  nGroupUsed: number;
  /** Layers before the first with experts. */
  nLayerDenseLead: number;
  swa: 'none' | 'standard' | 'chunked' | 'symmetric';
  nSwa: number;
  isSwa: boolean[];
  isRecurrent: boolean[];
  /** Layers from here on share an earlier layer's cache; -1 = none does. */
  nLayerKvFromStart: number;
  attnSoftCap: boolean;
  /** Sparse attention: heads and size of the indexer's keys (0 = no indexer), cells it keeps, layers with one of their own. */
  indexer: { heads: number; headSize: number; topK: number; full: boolean[] };
  /** Head size of Kimi's delta attention and of MiniMax's linear attention, 0 = none. */
  headKda: number;
  headLinear: number;
  ssm: SsmShape;
  /** Short-convolution cache length (LFM2), 0 = none. */
  shortConvCache: number;
  /** Elements of one sequence's earlier n-gram embeddings in each layer (`ple_conv_state`), 0 = it looks up none. */
  ngramState: number[];
  /** RWKV: head size, 0 = none; and how many earlier tokens' inputs a layer keeps. */
  wkvHeadSize: number;
  tokenShifts: number;
  /** Positions per token: 4 for multi-section rotary embeddings. */
  nPosPerEmbd: number;
  /** The block of the file whose weights a layer uses: its own, but where a model runs its blocks in loops. */
  blockOf: number[];
  /** Image features that later layers add: rows of the input are 1 + this many embeddings wide. */
  nDeepstackLayers: number;
  /** Which of them a layer adds to what it reads; -1 = none. */
  deepstackOf: number[];
  longRope: boolean;
}

/** `LLAMA_POOLING_TYPE_UNSPECIFIED`, and as a file may write it. */
const UNSPECIFIED = -1;
const UNSPECIFIED_IN_32_BITS = 2 ** 32 - 1;

/** Of these a single expert is none: the same function. */
const WITHOUT_ONE_EXPERT: ReadonlySet<string> = new Set(['hunyuan_vl', 'hunyuan-dense']);

/**
 * `llama_model_base::load_hparams` (`src/llama-model.cpp`, llama.cpp v0.5.0): the keys that every architecture has.
 * @throws CheckIncompleteError for values that llama.cpp does not accept
 */
export function readHparams(keys: Keys, nVocab: number): Hparams {
  const nLayerAll = keys.required('block_count');
  const nLayerNextn = keys.number('nextn_predict_layers', 0);
  checkLayerCounts(nLayerAll, nLayerNextn);
  const nEmbd = keys.required('embedding_length');
  const nCtxTrain = keys.required('context_length');
  const nHead = keys.perLayer('attention.head_count', nLayerAll, 0);
  const perHead = nHead[0] ? Math.floor(nEmbd / nHead[0]) : 0;
  const headK = nHead[0] ? keys.number('attention.key_length', perHead) : 0;
  const headV = nHead[0] ? keys.number('attention.value_length', perHead) : 0;
  const nHeadKv = keys.has('attention.head_count_kv')
    ? keys.perLayer('attention.head_count_kv', nLayerAll, 0)
    : [...nHead];
  const used = keys.perLayer('expert_used_count', nLayerAll, 0);
  const nExpert = keys.number('expert_count', 0);
  const isDense = nExpert <= 1 && WITHOUT_ONE_EXPERT.has(keys.architecture);
  const experts = {
    nExpert: isDense ? 0 : nExpert,
    nExpertUsed: isDense ? used.map(() => 0) : used,
    nExpertGroups: keys.number('expert_group_count', 0),
    nGroupUsed: keys.number('expert_group_used_count', 0),
  };
  checkExpertCounts(experts);
  return {
    ...experts,
    nLayerAll,
    nLayerNextn,
    nLayer: nLayerAll - nLayerNextn,
    nCtxTrain,
    nCtxOrigYarn: keys.number('rope.scaling.original_context_length', nCtxTrain),
    rope: ropeScalingOf(keys),
    nEmbd,
    nEmbdOut: keys.number('embedding_length_out', nEmbd),
    nVocab,
    causal: keys.boolean('attention.causal', true),
    encoder: 'none',
    pooling: poolingOf(keys),
    nHead,
    nHeadKv,
    nFf: keys.perLayer('feed_forward_length', nLayerAll, 0),
    headK,
    headV,
    headKSwa: keys.number('attention.key_length_swa', headK),
    headVSwa: keys.number('attention.value_length_swa', headV),
    headKMla: 0,
    headVMla: 0,
    nRot: nHead[0] ? keys.number('rope.dimension_count', headK) : 0,
    nFfExp: keys.perLayer('expert_feed_forward_length', nLayerAll, 0),
    nLayerDenseLead: keys.number('leading_dense_block_count', 0),
    swa: 'none',
    nSwa: 0,
    isSwa: new Array<boolean>(nLayerAll).fill(false),
    isRecurrent: new Array<boolean>(nLayerAll).fill(false),
    nLayerKvFromStart: -1,
    attnSoftCap: false,
    indexer: { heads: 0, headSize: 0, topK: 0, full: new Array<boolean>(nLayerAll).fill(false) },
    headKda: 0,
    headLinear: 0,
    ssm: {
      conv: keys.number('ssm.conv_kernel', 0),
      inner: keys.number('ssm.inner_size', 0),
      state: keys.number('ssm.state_size', 0),
      dtRank: keys.number('ssm.time_step_rank', 0),
      groups: keys.number('ssm.group_count', 0),
    },
    shortConvCache: keys.number('shortconv.l_cache', 0),
    ngramState: new Array<number>(nLayerAll).fill(0),
    wkvHeadSize: keys.number('wkv.head_size', 0),
    tokenShifts: keys.number('token_shift_count', 2),
    nPosPerEmbd: 1,
    blockOf: Array.from({ length: nLayerAll }, (_, layer) => layer),
    nDeepstackLayers: 0,
    deepstackOf: new Array<number>(nLayerAll).fill(-1),
    longRope: keys.text('rope.scaling.type') === 'longrope',
  };
}

function poolingOf(keys: Keys): number {
  const type = keys.number('pooling_type', UNSPECIFIED);
  return type === UNSPECIFIED_IN_32_BITS ? UNSPECIFIED : type;
}

/** Key head size of a layer. */
export function headKOf(hparams: Hparams, layer: number): number {
  return hparams.isSwa[layer] ? hparams.headKSwa : hparams.headK;
}

/** Value head size of a layer. */
export function headVOf(hparams: Hparams, layer: number): number {
  return hparams.isSwa[layer] ? hparams.headVSwa : hparams.headV;
}

/** Width of a layer's K cache row: `n_embd_k_gqa`. */
export function kWidth(hparams: Hparams, layer: number): number {
  return headKOf(hparams, layer) * (hparams.nHeadKv[layer] ?? 0);
}

/** Width of a layer's V cache row: `n_embd_v_gqa`. */
export function vWidth(hparams: Hparams, layer: number): number {
  return headVOf(hparams, layer) * (hparams.nHeadKv[layer] ?? 0);
}

/** The widest V row of all layers: `n_embd_v_gqa_max`. */
export function maxVWidth(hparams: Hparams): number {
  return Math.max(...hparams.nHead.map((_, layer) => vWidth(hparams, layer)));
}

/** `n_embd_r` (`src/llama-hparams.cpp`): elements of one sequence's convolution state. */
export function convStateSize(hparams: Hparams): number {
  const { ssm, shortConvCache, nEmbd, nHead, wkvHeadSize, tokenShifts, headKda } = hparams;
  if (wkvHeadSize > 0) return tokenShifts * nEmbd;
  if (shortConvCache > 0) return nEmbd * (shortConvCache - 1);
  if (headKda > 0) return 3 * (ssm.conv > 0 ? ssm.conv - 1 : 3) * (nHead[0] ?? 0) * headKda;
  return Math.max(0, ssm.conv - 1) * (ssm.inner + 2 * ssm.groups * ssm.state);
}

/** `n_embd_s` (`src/llama-hparams.cpp`): elements of one sequence's recurrent state. */
export function ssmStateSize({ ssm, nEmbd, nHead, wkvHeadSize, headKda, headLinear }: Hparams): number {
  if (wkvHeadSize > 0) return nEmbd * wkvHeadSize;
  if (headKda > 0) return headKda * headKda * (nHead[0] ?? 0);
  if (headLinear > 0) return headLinear * headLinear * (nHead[0] ?? 0);
  return ssm.state * ssm.inner;
}

function ropeScalingOf(keys: Keys): Hparams['rope'] {
  const factor = Math.fround(keys.real('rope.scaling.factor', keys.real('rope.scale_linear', 0)));
  const freqScale = factor === 0 ? 1 : Math.fround(1 / factor);
  return { scaling: keys.text('rope.scaling.type') ?? 'linear', freqScale };
}
