import { headKOf, headVOf } from '../../model/hparams.js';
import type { ModelShape } from '../../model/model-shape.js';
import type { ContextMemory } from '../caches/cache.js';
import type { ContextParams } from '../context/context-params.js';
import type { Backend } from '../ggml/backend.js';
import { Graph } from '../ggml/graph.js';
import { GraphPart } from '../ggml/graph-parts.js';
import * as ggml from '../ggml/ops/ops.js';
import { F32, I32, type Tensor } from '../ggml/tensor.js';
import type { Placement } from '../weights/placement.js';
import { FusedNode, type FusedOp } from './architecture-graph.js';
import { LoadedTensors } from './loaded/loaded-tensors.js';
import { countsOfLayer } from './counts-by-layer.js';
import { embeddingInput } from './embedding-input.js';
import { pool, POOLING_NONE } from './pooling.js';
import { type AdapterWeights, direction } from './loaded/adapters.js';
import { sampleDrafts } from './sampling.js';

/** The tokens that a graph is planned for: `llama_ubatch`. */
export interface UBatch {
  readonly nTokens: number;
  readonly nSeqs: number;
  readonly nSeqTokens: number;
}

export interface GraphInputs {
  readonly shape: ModelShape;
  readonly params: ContextParams;
  readonly memory: ContextMemory;
  readonly placement: Placement;
  readonly backends: readonly Backend[];
  readonly ubatch: UBatch;
  readonly nOutputs: number;
  readonly flashAttn: boolean;
  /** What runs as one op. */
  readonly fused: ReadonlySet<FusedOp>;
  /** Numbers of the layers to plan, in order, and of those between them. */
  readonly layers: readonly number[];
  readonly leftOut: ReadonlySet<number>;
  /** Low-rank products beside a weight's own, by its name. */
  readonly adapters?: AdapterWeights | undefined;
  /** A control vector is added to what the layers put out. */
  readonly steered?: boolean | undefined;
}

export type NormKind = 'rms' | 'layer';

/** Below this many tokens a layer's norm stays on the layer's device; `graph_get_cb` (`src/llama-context.cpp`). */
const PINNED_NORM_TOKENS = 32;

/**
 * `llm_graph_context` (`src/llama-graph.cpp`, llama.cpp v0.5.0): what the architectures' graphs are written with. Names of
 * weights are those of the file.
 */
export class GraphBuilder extends LoadedTensors {
  readonly graph = new Graph();
  /** The architecture's graph has places for a control vector. */
  isSteered = false;
  readonly params: ContextParams;
  readonly memory: ContextMemory;
  readonly nTokens: number;
  readonly nSeqs: number;
  readonly nSeqTokens: number;
  readonly nOutputs: number;
  readonly flashAttn: boolean;
  readonly fused: ReadonlySet<FusedOp>;
  readonly offloadKqv: boolean;
  readonly fusedNodes: FusedNode[] = [];
  /** Numbers of the batch's tokens, an input: `t_inp_tokens`. */
  tokens: Tensor | null = null;
  /** What pooling starts from and a context returns as embeddings: `t_embd`. */
  embeddings: Tensor | null = null;
  /** `t_embd_pooled`. */
  pooled: Tensor | null = null;
  private logits: Tensor | null = null;
  private hidden: Tensor | null = null;
  private inputRows: Tensor | null = null;
  private readonly kept: Tensor[] = [];

  constructor(private readonly inputs: GraphInputs) {
    const { shape, placement, params, leftOut } = inputs;
    super({ shape, placement, target: params.role.target, leftOut });
    this.params = inputs.params;
    this.memory = inputs.memory;
    ({ nTokens: this.nTokens, nSeqs: this.nSeqs, nSeqTokens: this.nSeqTokens } = inputs.ubatch);
    this.nOutputs = inputs.nOutputs;
    this.flashAttn = inputs.flashAttn;
    this.fused = inputs.fused;
    this.offloadKqv = inputs.params.offloadKqv;
  }

  get layers(): readonly number[] {
    return this.inputs.layers;
  }

  isLast(layer: number): boolean {
    return layer === this.hparams.nLayer - 1;
  }

  /** All that is computed of `inputs` to get `result` is of one size wherever there is a part, or a sample, of that name. */
  part(name: string, result: Tensor, ...inputs: readonly Tensor[]): Tensor {
    this.graph.parts.push(new GraphPart(name, result, inputs));
    return result;
  }

  /** A part beside the graph, for those of layers that are left out. */
  sample(name: string, result: Tensor, ...inputs: readonly Tensor[]): void {
    this.graph.addSample(new GraphPart(name, result, inputs));
  }

  /** A node that the layer's device is to run as one. */
  runsFused(op: FusedNode['op'], node: Tensor, layer: number): Tensor {
    this.fusedNodes.push(new FusedNode(op, node, layer));
    return node;
  }

  get nEmbd(): number {
    return this.hparams.nEmbd;
  }

  head(layer: number): { k: number; v: number; q: number; kv: number } {
    const { q, kv } = countsOfLayer(this.shape, layer);
    return { k: headKOf(this.hparams, layer), v: headVOf(this.hparams, layer), q, kv };
  }

  expand(tensor: Tensor): Tensor {
    this.graph.expand(tensor);
    return tensor;
  }

  inputEmbeddings(): Tensor {
    const wide = embeddingInput(this);
    if (this.hparams.nDeepstackLayers === 0) return wide;
    this.inputRows = wide;
    return this.expand(this.deepstackRows(0));
  }

  /** The embeddings themselves (0), or image features beside them, as a view of the input. */
  deepstackRows(index: number): Tensor {
    const rows = this.inputRows;
    if (!rows) throw new Error('the input has no image features');
    return ggml.view2d(rows, this.nEmbd, this.nTokens, rows.nb[1], ggml.rowSize(rows, index * this.nEmbd));
  }

  inputPositions(): Tensor {
    return ggml.newInput(I32, this.nTokens * this.hparams.nPosPerEmbd);
  }

  /** `build_inp_attn_scale`: one factor a token, for queries without rotation. */
  inputQueryScales(): Tensor {
    return ggml.newInput(F32, 1, 1, this.nTokens);
  }

  inputOutIds(): Tensor {
    return ggml.newInput(I32, this.nOutputs);
  }

  /** `build_norm`; a layer's norm with weights may be pinned to the layer's device. */
  norm(cur: Tensor, weight: Tensor | null, bias: Tensor | null, kind: NormKind, layer: number): Tensor {
    let normed = kind === 'rms' ? ggml.rmsNorm(cur) : ggml.norm(cur);
    if (weight || bias) this.pinToLayer(normed, layer);
    if (weight) normed = ggml.mul(normed, weight);
    if (bias) normed = ggml.add(normed, bias);
    return normed;
  }

  rmsNorm(cur: Tensor, layer: number, name: string): Tensor {
    return this.norm(cur, this.layerWeight(layer, name), null, 'rms', layer);
  }

  /** `build_lora_mm`. */
  mulMat(weight: Tensor, cur: Tensor, scale: Tensor | null = null): Tensor {
    const product = ggml.mulMat(weight, cur);
    let result = scale ? ggml.mul(product, scale) : product;
    for (const { a, b } of this.inputs.adapters?.get(this.nameOf(weight) ?? '') ?? [])
      result = ggml.add(result, ggml.scale(ggml.mulMat(b, ggml.mulMat(a, cur))));
    return result;
  }

  /** `build_cvec`: the direction of a layer, which has none for the first one, is added to what it puts out. */
  steer(cur: Tensor, layer: number): Tensor {
    if (this.inputs.steered !== true || layer < 1) return cur;
    this.isSteered = true;
    return ggml.add(cur, direction(this.shape.hparams.nEmbd, this.inputs.placement.layerDevice(layer)));
  }

  /** Bias added where the file has one. */
  addBias(cur: Tensor, bias: Tensor | null): Tensor {
    return bias ? ggml.add(cur, bias) : cur;
  }

  /** The rows that are needed after the last layer: `inp_out_ids`. */
  pickOutputs(cur: Tensor, outIds: Tensor): Tensor {
    return ggml.getRows(cur, outIds);
  }

  /** Since b9497..b10472 every model with a draft head of its own keeps what it reads; these did before. */
  get keepsHidden(): boolean {
    return this.params.llama.keepsHidden || ['qwen35', 'qwen35moe'].includes(this.shape.architecture);
  }

  /** `t_h_nextn`: the last layer's output, kept for a draft head whether there is one or not. */
  keepHidden(cur: Tensor): void {
    if (this.keepsHidden) this.hidden = cur;
  }

  /** `t_layer_inp`: a layer's input, kept where a draft reads it. */
  tapInput(layer: number, input: Tensor): void {
    if (this.params.role.tapped.includes(layer)) this.kept.push(input);
  }

  /** `t_logits`: the graph's last result, planned by `complete` where a version plans embeddings first. */
  finish(logits: Tensor): void {
    this.logits = logits;
    if (!this.params.llama.headlessEmbeddings) this.expand(logits);
  }

  /**
   * `llama_model::build_graph` (`src/llama-model.cpp`): pooling, then the logits, which a context that pools embeddings does
   * without from b11435..b12032 on (`llm_graph_context::build_logits`, `src/llama-graph.cpp`).
   */
  complete(): void {
    const { llama, embeddings, pooling } = this.params;
    pool(this);
    if (this.logits && this.params.role.sampled) this.kept.push(...sampleDrafts(this, this.logits));
    if (llama.headlessEmbeddings) {
      if (embeddings && pooling !== POOLING_NONE) this.logits = null;
      if (this.logits) this.expand(this.logits);
      else if (!embeddings && this.embeddings) this.expand(this.embeddings);
    }
    this.markOutputs();
  }

  /** The final norm, the output head, its bias, and what the model does to the logits. */
  finishWithHead(cur: Tensor, kind: NormKind = 'rms', adapt = (logits: Tensor): Tensor => logits): void {
    const normed = this.norm(cur, this.need('output_norm.weight'), this.weight('output_norm.bias'), kind, -1);
    this.embeddings = normed;
    const logits = this.mulMat(this.outputHead(), normed, this.weight('output.scale'));
    this.finish(adapt(this.addBias(logits, this.weight('output.bias'))));
  }

  /** Encoders end with the final norm, whose rows are the embeddings. */
  finishWithEmbeddings(cur: Tensor, kind: NormKind = 'rms', norm = 'output_norm'): void {
    this.embeddings = this.expand(this.norm(cur, this.need(`${norm}.weight`), null, kind, -1));
  }

  /** `llm_graph_result::set_outputs`, and `ggml_set_output`: what a view shows is kept with it. */
  private markOutputs(): void {
    for (const tensor of [this.logits, this.embeddings, this.pooled, this.hidden, ...this.kept]) {
      if (!tensor) continue;
      tensor.isOutput = true;
      if (tensor.viewSrc) tensor.viewSrc.isOutput = true;
    }
  }

  /** All nodes between the KV store and the attention output run on the CPU. */
  pinToCpu(node: Tensor): void {
    node.backend = this.inputs.backends.length - 1;
  }

  /** False where the GPU cannot run it. */
  pinToGpu(node: Tensor, gpu: number): boolean {
    const runs = this.inputs.backends[gpu]?.supportsOp(node) ?? false;
    if (runs) node.backend = gpu;
    return runs;
  }

  pinToLayer(node: Tensor, layer: number): void {
    const { placement, backends } = this.inputs;
    if (layer < 0 || (this.nTokens >= PINNED_NORM_TOKENS && !placement.fullOffload)) return;
    const device = placement.layerDevice(layer);
    const index = device === 'cpu' ? backends.length - 1 : device;
    if (backends[index]?.supportsOp(node)) node.backend = index;
  }
}
