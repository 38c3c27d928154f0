import type { Tensor } from '../../../ggml/tensor.js';
import type { ArchitectureGraph } from '../../architecture-graph.js';
import type { AttentionInput, DecoderInputs } from '../../attention/attention-input.js';
import type { AttentionOptions } from '../../attention/multi-head.js';
import type { GraphBuilder, NormKind } from '../../builder.js';
import type { Gating } from '../../experts/experts.js';
import type { Activation } from '../../projections.js';

/**
 * A decoder as data: how its graph (`src/models/*.cpp`, llama.cpp v0.5.0) differs from llama's. What a file tells by having
 * a weight or not (biases, fused QKV, gates, shared experts, factors of the rotation, sinks) is not stated.
 */
export interface DecoderSpec {
  readonly input?: InputSpec;
  readonly norm?: NormKind | ((g: GraphBuilder) => NormKind);
  /** Norms have no weights at all. */
  readonly bareNorms?: boolean;
  readonly norms?: NormNames;
  readonly attention?: AttentionSpec | AttentionPart;
  /** Default: over the cache that the model has, else over the batch. */
  readonly attentionInput?: (g: GraphBuilder) => AttentionInput;
  readonly feedForward?: FeedForwardSpec | LayerPart;
  /** Attention and feed-forward read the same rows, side by side. */
  readonly parallel?: ParallelSpec;
  /** Another order altogether: from a layer's input to its output. */
  readonly layer?: (tools: LayerTools, input: Tensor, layer: number) => Tensor;
  /** Each branch is scaled before it is added. */
  readonly scaledBranches?: (g: GraphBuilder) => boolean;
  /** The first (second) sum has the residual as its first operand. */
  readonly middleFirst?: boolean;
  readonly residualFirst?: boolean;
  /** What happens to a layer's output before the next one reads it. */
  readonly afterLayer?: (g: GraphBuilder, cur: Tensor, layer: number, frame: DecoderFrame) => Tensor;
  /** What makes a layer's graph differ from another's beside its weights, heads and windows. */
  readonly kindOf?: ArchitectureGraph['kindOf'];
  readonly outputs?: OutputRows;
  /** Where a draft reads every row of the last layer, rows are dropped only then: `embeddings_nextn`. */
  readonly keepsForDraft?: 'after-layers' | 'after-norm';
  readonly head?: HeadSpec;
}

/** Drops rows without output, in the last layer. */
type Pick = (cur: Tensor, layer: number) => Tensor;

/** What a layer may need of the frame it stands in. */
export interface DecoderFrame {
  /** The first layer's input. */
  readonly embeddings: Tensor;
  readonly pick: Pick;
}

/** What a feed-forward may need beside its rows. */
export interface LayerInput {
  /** The layer's own input, all rows. */
  readonly input: Tensor;
  readonly pick: Pick;
}

/** The parts of a layer, put together by `DecoderSpec.layer`. */
export interface LayerTools {
  readonly g: GraphBuilder;
  readonly pick: Pick;
  readonly norm: (cur: Tensor, layer: number, name: string) => Tensor;
  readonly attend: (cur: Tensor, layer: number) => Tensor;
  readonly feed: (cur: Tensor, layer: number) => Tensor;
}

export type AttentionPart = (g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs) => Tensor;
export type LayerPart = (g: GraphBuilder, cur: Tensor, layer: number, input: LayerInput) => Tensor;

/** As `DecoderInputs`, but no positions where nothing depends on them. */
export interface LayerInputs {
  readonly positions: Tensor | null;
  readonly attention: AttentionInput;
  readonly queryScales?: Tensor | null;
}

/** Where rows without output are dropped; `never` computes the logits of every row. */
export type OutputRows = 'in-last-layer' | 'after-layers' | 'after-norm' | 'never';

export interface InputSpec {
  /** Scaled after they are looked up, tokens' rows only where others are given, or, by a function, within `build_inp_embd`. */
  readonly scaled?: 'later' | 'tokens' | ((g: GraphBuilder) => boolean);
  /** Name of a norm over the embeddings; null = one without weights. */
  readonly norm?: string | null;
  /** Learnt positions are added. */
  readonly positions?: 'learnt';
}

/** Names of the norms; null = none there. */
export interface NormNames {
  readonly attention?: string | null | ((g: GraphBuilder, layer: number) => string | null);
  readonly afterAttention?: string;
  readonly feedForward?: string | null;
  readonly afterFeedForward?: string;
  /** The norm after attention sees all rows, also in the last layer. */
  readonly beforePicking?: boolean;
  /** Norms that small batches do not keep on the layer's device. */
  readonly unpinned?: readonly ('afterAttention' | 'afterFeedForward')[];
}

export interface AttentionSpec {
  readonly rotates?: 'never' | 'in-windows' | ((g: GraphBuilder, layer: number) => boolean);
  /** Rotation by the file's factors only where attention is full. */
  readonly factorsOfFullLayersOnly?: boolean;
  /**
   * Norms of Q and K where the file has them: of each head before or after the rotation, of whole rows, or of heads put
   * together to rows for it.
   */
  readonly headNorms?: 'before' | 'after' | 'rows' | 'heads-as-rows';
  readonly headNormKind?: NormKind;
  /** K is normalised without weights. */
  readonly bareKeyNorm?: boolean;
  readonly scaledQueries?: boolean;
  /** Queries are scaled by position where `attention.temperature_scale` is given. */
  readonly temperature?: boolean;
  /** Projections are clamped where `attention.clamp_kqv` is given. */
  readonly clamped?: boolean;
  /** Of the gate over the attended rows. */
  readonly gate?: 'sigmoid' | 'softplus';
  /** A norm between attention and its output projection. */
  readonly subNorm?: string;
  /** The output is scaled. */
  readonly scaledOutput?: (g: GraphBuilder) => boolean;
  readonly options?: (g: GraphBuilder, layer: number) => AttentionOptions;
}

export interface FeedForwardSpec {
  readonly activation?: Activation;
  /** A norm between the activation and the down projection. */
  readonly subNorm?: string;
  /** Of layers that have a router. */
  readonly experts?: ExpertsSpec;
}

export interface ExpertsSpec {
  readonly activation?: Activation;
  readonly gating?: Gating;
  /** `expert_gating_func` decides, `gating` where it is missing. */
  readonly gatingFromHeader?: boolean;
  /** Weights of the chosen sum to one: always, never, or as `expert_weights_norm` says. */
  readonly normalise?: boolean | 'header';
  /** `expert_weights_scale` is read. */
  readonly scaled?: boolean;
  /** What the shared experts' output is multiplied with. */
  readonly sharedGate?: 'silu-ratio';
  /** The logits come from the layer's own input, before the norm. */
  readonly routesByInput?: boolean;
  readonly chooseBySigmoid?: boolean;
  /** Experts that stand for groups of `experts_per_group` others read what those gave. */
  readonly adjugate?: boolean;
  /** Layers with a limit in `swiglu_clamp_exp` (shared experts and dense: `swiglu_clamp_shexp`) keep within it. */
  readonly clamped?: 'fused' | 'apart';
  /** Routed and shared experts' sum is halved. */
  readonly halved?: boolean;
}

export interface ParallelSpec {
  /** Name of a norm that attention reads instead, where the file has it. */
  readonly attentionNorm?: string;
  /** The feed-forward has a norm of its own over the layer's input. */
  readonly ownNorm?: boolean;
  /** Whether a layer works this way at all. */
  readonly when?: (g: GraphBuilder, layer: number) => boolean;
  readonly sum: (parts: { input: Tensor; attended: Tensor; fed: Tensor }) => Tensor;
}

export interface HeadSpec {
  /** There is none: the rows of the norm of this name are the result. */
  readonly embeddings?: string;
  /** What the final norm gives is kept for a draft head. */
  readonly keepsNormed?: boolean;
  /** The token embedding serves as head whatever else the file has. */
  readonly tied?: boolean;
  /** Rows are scaled before the head. */
  readonly scaledRows?: boolean;
  /** Logits are scaled: always, or where `logit_scale` is given. */
  readonly scaled?: 'always' | 'if-given';
  /** Logits are squeezed where `final_logit_softcapping` is given. */
  readonly softCap?: boolean;
  readonly adapt?: (g: GraphBuilder, logits: Tensor) => Tensor;
}
