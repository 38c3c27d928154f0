import { CheckIncompleteError } from '../../../errors.js';
import type { Encoder, EncoderHparams, FfnOp, MediaSize } from '../../../model/projector/encoder-hparams.js';
import { Graph } from '../../ggml/graph.js';
import { conv2d, interpolate } from '../../ggml/ops/image-ops.js';
import * as ggml from '../../ggml/ops/ops.js';
import { F16, F32, I32, type Tensor } from '../../ggml/tensor.js';

export type NormKind = 'rms' | 'layer';

/** What is encoded together: images of one size, or one piece of audio. */
export interface MediaBatch {
  readonly size: MediaSize;
  readonly count: number;
}

export interface ClipGraphInputs {
  readonly encoder: Encoder;
  readonly hparams: EncoderHparams;
  readonly media: MediaBatch;
  readonly flashAttn: boolean;
  /** A loaded weight, or null where the file has none of that name. */
  readonly weight: (name: string) => Tensor | null;
}

/** `clip_graph` (`tools/mtmd/clip-graph.h` and `clip.cpp`, llama.cpp v0.5.0): what encoders' graphs are written with. */
export class ClipGraph {
  readonly graph = new Graph();
  readonly type: string;
  readonly hparams: Readonly<EncoderHparams>;
  readonly size: MediaSize;
  readonly batch: number;
  readonly patchesX: number;
  readonly patchesY: number;
  readonly patches: number;
  readonly flashAttn: boolean;
  private readonly prefix: 'v' | 'a';

  constructor(private readonly inputs: ClipGraphInputs) {
    const { encoder, hparams, media } = inputs;
    this.type = encoder.type;
    this.hparams = hparams;
    this.size = media.size;
    this.batch = media.count;
    this.patchesX = Math.floor(this.size.width / hparams.patchSize);
    this.patchesY = Math.floor(this.size.height / hparams.patchSize);
    this.patches = this.patchesX * this.patchesY;
    this.flashAttn = inputs.flashAttn;
    this.prefix = encoder.modality === 'vision' ? 'v' : 'a';
  }

  weight(name: string): Tensor | null {
    return this.inputs.weight(name);
  }

  /** @throws CheckIncompleteError if the file has no such tensor; llama.cpp would not load it. */
  need(name: string): Tensor {
    const tensor = this.weight(name);
    if (tensor) return tensor;
    throw new CheckIncompleteError(
      'MODEL_TENSOR_MISSING',
      `The projector lacks the tensor ${JSON.stringify(name)}, so llama.cpp would not load it; use a complete file that a current llama.cpp converted.`,
    );
  }

  /** Of the encoder itself: `v.post_ln.weight`, `a.post_ln.weight`. */
  own(name: string): Tensor | null {
    return this.weight(`${this.prefix}.${name}`);
  }

  layer(layer: number, name: string): Tensor | null {
    return this.own(`blk.${layer}.${name}`);
  }

  layerNeed(layer: number, name: string): Tensor {
    return this.need(`${this.prefix}.blk.${layer}.${name}`);
  }

  expand(tensor: Tensor): Tensor {
    this.graph.expand(tensor);
    return tensor;
  }

  positions(count: number): Tensor {
    return ggml.newInput(I32, count);
  }

  /** `build_mm`. */
  mulMat(weight: Tensor, cur: Tensor): Tensor {
    return ggml.mulMat(weight, cur);
  }

  addBias(cur: Tensor, bias: Tensor | null): Tensor {
    return bias ? ggml.add(cur, bias) : cur;
  }

  /** `build_inp_raw`. */
  rawInput(channels = 3): Tensor {
    return ggml.newInput(F32, this.size.width, this.size.height, channels, this.batch);
  }

  /** A convolution that steps from patch to patch. */
  patchConv(kernel: Tensor, input: Tensor): Tensor {
    return conv2d(kernel, input, { stride: this.hparams.patchSize, padding: 0 });
  }

  /** `build_inp`: the patches, [embedding, patches, images]. */
  patchInput(input = this.rawInput()): Tensor {
    const conv = this.patchConv(this.need('v.patch_embd.weight'), input);
    const flat = ggml.reshape(conv, this.patches, this.hparams.nEmbd, this.batch);
    return this.addBias(ggml.cont(ggml.transpose(flat)), this.weight('v.patch_embd.bias'));
  }

  /** `build_norm`. */
  norm(cur: Tensor, weight: Tensor | null, bias: Tensor | null, kind: NormKind): Tensor {
    let normed = kind === 'rms' ? ggml.rmsNorm(cur) : ggml.norm(cur);
    if (weight) normed = ggml.mul(normed, weight);
    return this.addBias(normed, bias);
  }

  /** A norm whose weight and bias the file names alike; it may lack either. */
  namedNorm(cur: Tensor, name: string, kind: NormKind): Tensor {
    return this.norm(cur, this.weight(`${name}.weight`), this.weight(`${name}.bias`), kind);
  }

  layerNorm(cur: Tensor, layer: number, name: string, kind: NormKind): Tensor {
    return this.namedNorm(cur, `${this.prefix}.blk.${layer}.${name}`, kind);
  }

  /** `build_ffn`, weights and biases by name; without a gate where the name is null. */
  ffn(cur: Tensor, names: { up: string; gate?: string; down: string }, op: FfnOp): Tensor {
    const bias = (name: string): Tensor | null => this.weight(`${name}.bias`);
    const upWeight = this.weight(`${names.up}.weight`);
    const up = this.addBias(upWeight ? this.mulMat(upWeight, cur) : cur, bias(names.up));
    const gateWeight = names.gate === undefined ? null : this.weight(`${names.gate}.weight`);
    const gate = gateWeight && this.addBias(this.mulMat(gateWeight, cur), bias(names.gate as string));
    const activated = gate ? gated(gate, up, op) : activate(up, op);
    const down = this.weight(`${names.down}.weight`);
    return this.addBias(down ? this.mulMat(down, activated) : activated, bias(names.down));
  }

  layerFfn(cur: Tensor, layer: number, op: FfnOp): Tensor {
    const name = (part: string): string => `${this.prefix}.blk.${layer}.ffn_${part}`;
    const [up, down] = this.swapsFfn(layer) ? ['down', 'up'] : ['up', 'down'];
    return this.ffn(cur, { up: name(up as string), gate: name('gate'), down: name(down as string) }, op);
  }

  /** Files of old converters call the matrices by each other's names: `is_ffn_swapped`. */
  private swapsFfn(layer: number): boolean {
    if (!SWAPPED_BY_OLD_CONVERTERS.has(this.type)) return false;
    return this.layer(layer, 'ffn_down.weight')?.ne[0] === this.hparams.nEmbd;
  }

  /** `build_attn`: [head size, heads, positions, images] each; the result is flat. */
  attention(
    output: Tensor | null,
    outputBias: Tensor | null,
    {
      q,
      k,
      v,
      mask = null,
      sinks = null,
    }: { q: Tensor; k: Tensor; v: Tensor; mask?: Tensor | null; sinks?: Tensor | null },
  ): Tensor {
    for (const tensor of [q, k, v]) this.expand(tensor);
    const queries = ggml.permute(q, 0, 2, 1, 3);
    const keys = ggml.permute(k, 0, 2, 1, 3);
    let cur: Tensor;
    if (this.flashAttn) {
      const values = ggml.permute(v, 0, 2, 1, 3);
      const halfK = ggml.cast(keys, F16);
      const halfV = ggml.cast(values, F16);
      const halfMask = mask && ggml.cast(mask, F16);
      const attended = ggml.flashAttnExt(queries, halfK, halfV, halfMask, sinks);
      const [head, heads, positions, images] = attended.ne;
      cur = ggml.reshape(attended, head * heads, positions * images);
    } else {
      const values = ggml.cont(ggml.permute(v, 1, 2, 0, 3));
      const scores = ggml.softMax(ggml.mulMat(keys, queries), mask, sinks, false);
      const merged = ggml.permute(ggml.mulMat(values, scores), 0, 2, 1, 3);
      const [head, heads, positions, images] = merged.ne;
      cur = ggml.contTo(merged, head * heads, positions * images);
    }
    if (output) cur = this.mulMat(output, cur);
    return this.addBias(cur, outputBias);
  }

  layerAttention(
    layer: number,
    qkv: { q: Tensor; k: Tensor; v: Tensor; mask?: Tensor | null; sinks?: Tensor | null },
  ): Tensor {
    return this.attention(this.layerNeed(layer, 'attn_out.weight'), this.layer(layer, 'attn_out.bias'), qkv);
  }

  /** `resize_position_embeddings`. */
  resizedPositions(): Tensor {
    const positions = this.need(`${this.prefix}.position_embd.weight`);
    const side = Math.floor(Math.sqrt(positions.ne[1]));
    if (this.patchesX === side && this.patchesY === side) return positions;
    const { nEmbd } = this.hparams;
    const grid = ggml.permute(ggml.reshape(positions, nEmbd, side, side), 2, 0, 1, 3);
    const resized = ggml.permute(interpolate(grid, this.patchesX, this.patchesY, nEmbd, 1), 1, 2, 0, 3);
    return ggml.contTo(resized, nEmbd, this.patches);
  }

  /** `build_rope_2d`: half of each head by each coordinate. */
  rope2d(cur: Tensor, first: Tensor, second: Tensor): Tensor {
    return ggml.rope(ggml.rope(cur, first), second);
  }

  /** `build_patch_merge_permute`: squares of patches side by side, with what is missing at the edges padded. */
  mergePatches(cur: Tensor, side: number): Tensor {
    const nEmbd = cur.ne[0];
    let [width, height] = [this.patchesX, this.patchesY];
    const [paddedWidth, paddedHeight] = [Math.ceil(width / side) * side, Math.ceil(height / side) * side];
    cur = ggml.reshape(cur, nEmbd, width, height);
    if (paddedWidth !== width || paddedHeight !== height) {
      cur = ggml.padTo(cur, [nEmbd, paddedWidth, paddedHeight, 1]);
      [width, height] = [paddedWidth, paddedHeight];
    }
    cur = ggml.permute(ggml.reshape(cur, nEmbd * side, width / side, height), 0, 2, 1, 3);
    cur = ggml.permute(ggml.contTo(cur, nEmbd * side * side, height / side, width / side), 0, 2, 1, 3);
    return ggml.contTo(cur, cur.ne[0], cur.ne[1] * cur.ne[2]);
  }
}

/** `is_ffn_swapped` in `clip_model_loader::load_tensors`. */
const SWAPPED_BY_OLD_CONVERTERS = new Set([
  'mlp',
  'ldp',
  'ldpv2',
  'qwen2vl_merger',
  'qwen2.5vl_merger',
  'exaone4_5',
  'adapter',
  'gemma3',
  'idefics3',
  'resampler',
  'minicpmv4_6',
]);

function gated(gate: Tensor, up: Tensor, op: FfnOp): Tensor {
  if (op === 'relu_sqr') return activate(gate, op);
  const variants = { silu: 'swiglu', gelu: 'geglu', gelu_erf: 'geglu_erf', gelu_quick: 'geglu_quick' } as const;
  return ggml.glu(gate, up, variants[op]);
}

function activate(cur: Tensor, op: FfnOp): Tensor {
  return op === 'relu_sqr' ? ggml.sqr(ggml.unary(cur, 'relu')) : ggml.unary(cur, op);
}
