import * as ggml from '../../../ggml/ops/ops.js';
import { streamSum } from '../../../ggml/ops/sparse-ops.js';
import { F32, type Tensor } from '../../../ggml/tensor.js';
import { attention } from '../../attention/attention.js';
import { attentionInput, type AttentionInput } from '../../attention/attention-input.js';
import type { GraphBuilder } from '../../builder.js';
import { experts, gatingOf, weightsByHeader } from '../../experts/experts.js';
import { decayRows, type Kda, kdaLayer, timesRates } from '../../recurrent/kda.js';
import { latentHeads, latentQueries } from '../../attention/latent.js';
import { recurrentInput } from '../../recurrent/recurrent.js';

/** Which block of layers a layer is in, and whether it is the block's first. */
export function bankOf(layer: number, block: number): number {
  return block > 0 ? 2 * Math.floor(layer / block) + (layer % block === 0 ? 1 : 0) : 0;
}

/** Without what is mixed from the bank, and added to it, layers differ by beginning a block, of which the first has no bank yet. */
export function firstOfBlock(layer: number, block: number): number {
  return block > 0 && layer % block === 0 ? Math.min(layer, 1) : -1;
}

/**
 * `src/models/kimi-k3.cpp` (llama.cpp v0.5.0): delta attention and latent attention; every branch reads a mix of the residual
 * stream and of what it was before each block of layers.
 */
export function kimiK3(g: GraphBuilder): void {
  const { nLayerDenseLead, isRecurrent } = g.hparams;
  const block = g.shape.keys.number('attn_res.block_size', 0);
  const residuals = new Residuals(g, block);
  let stream = g.inputEmbeddings();
  const input = attentionInput(g);
  const recurrent = recurrentInput(g);
  const outIds = g.inputOutIds();
  const activation = situOf(g);
  for (const layer of g.layers) {
    let cur = residuals.mix(stream, `blk.${layer}.attn_res_score.weight`);
    const banked = block > 0 && layer % block === 0;
    if (banked) residuals.push(stream);
    cur = g.expand(g.rmsNorm(cur, layer, 'attn_norm.weight'));
    cur = isRecurrent[layer] ? kdaLayer(g, recurrent, cur, layer, delta(g, layer)) : gatedLatent(g, input, cur, layer);
    stream = banked ? cur : ggml.add(stream, cur);
    cur = g.rmsNorm(residuals.mix(stream, `blk.${layer}.ffn_res_score.weight`), layer, 'ffn_norm.weight');
    cur = layer < nLayerDenseLead ? dense(g, cur, layer, '', activation) : latentExperts(g, cur, layer, activation);
    stream = ggml.add(stream, cur);
  }
  residuals.addSamples();
  g.finishWithHead(g.pickOutputs(residuals.mix(stream, 'output_res_score.weight'), outIds));
}

/** `res_push` and `res_mix`. */
class Residuals {
  private bank: Tensor | null = null;

  constructor(
    private readonly g: GraphBuilder,
    private readonly block: number,
  ) {}

  push(stream: Tensor): void {
    const { bank, g } = this;
    this.bank = bank
      ? g.part(`bank of ${bank.ne[1] + 1}`, this.pushed(bank, stream), bank, stream)
      : this.entry(stream);
  }

  private entry(stream: Tensor): Tensor {
    return ggml.reshape(stream, this.g.nEmbd, 1, this.g.nTokens);
  }

  private pushed(bank: Tensor, stream: Tensor): Tensor {
    return ggml.concat(bank, this.entry(stream), 1);
  }

  mix(stream: Tensor, score: string): Tensor {
    const { bank, g } = this;
    if (!bank) return stream;
    return g.part(`mix of ${bank.ne[1]}`, this.mixed(bank, stream, g.need(score)), bank, stream);
  }

  private mixed(bank: Tensor, stream: Tensor, score: Tensor): Tensor {
    const { g } = this;
    const entries = bank.ne[1];
    const scored = (rows: Tensor): Tensor => ggml.sumRows(ggml.mul(ggml.rmsNorm(rows), score));
    const ofBank = ggml.reshape(scored(bank), entries, g.nTokens);
    const probs = ggml.softMax(ggml.concat(ofBank, scored(stream), 0));
    const part = (width: number, offset: number): Tensor =>
      ggml.cont(ggml.view2d(probs, width, g.nTokens, probs.nb[1], offset * probs.nb[0]));
    const shares = part(entries, 0);
    const own = part(1, entries);
    return ggml.add(streamSum(bank, shares), ggml.mul(stream, own));
  }

  /** With the bank of every block, layers of which are perhaps left out. */
  addSamples(): void {
    const { g, block } = this;
    const blocks = block > 0 ? Math.ceil(g.hparams.nLayer / block) : 0;
    for (let entries = 1; entries <= blocks; entries++) {
      const bank = ggml.newTensor(F32, g.nEmbd, entries, g.nTokens);
      const stream = ggml.newTensor(F32, g.nEmbd, g.nTokens);
      const score = ggml.newTensor(g.need('output_res_score.weight').type, g.nEmbd);
      g.sample(`mix of ${entries}`, this.mixed(bank, stream, score), bank, stream, score);
      if (entries < blocks) g.sample(`bank of ${entries + 1}`, this.pushed(bank, stream), bank, stream);
    }
  }
}

function delta(g: GraphBuilder, layer: number): Kda {
  const bounded = g.shape.keys.has('kda.gate_lower_bound');
  return {
    decay: (cur) =>
      bounded
        ? ggml.scale(ggml.unary(ggml.scale(timesRates(g, decayRows(g, cur, layer), layer)), 'sigmoid'))
        : timesRates(g, ggml.unary(decayRows(g, cur, layer), 'softplus'), layer),
    gate: (cur) => {
      const bySequence = ggml.reshape(cur, cur.ne[0], g.nSeqTokens, g.nSeqs);
      return g.mulMat(g.layerNeed(layer, 'ssm_g.weight'), ggml.reshape(bySequence, cur.ne[0], g.nTokens));
    },
  };
}

function gatedLatent(g: GraphBuilder, input: AttentionInput, cur: Tensor, layer: number): Tensor {
  const heads = latentHeads(g, cur, latentQueries(g, cur, layer), layer, null);
  const attended = attention(g, input, layer, heads, {
    valueUp: g.layerNeed(layer, 'attn_v_b.weight'),
    output: null,
  });
  const gate = g.layerWeight(layer, 'attn_gate.weight');
  const gated = gate ? ggml.mul(attended, ggml.unary(g.mulMat(gate, cur), 'sigmoid')) : attended;
  return g.mulMat(g.layerNeed(layer, 'attn_output.weight'), gated);
}

type Combine = (gate: Tensor, up: Tensor) => Tensor;

/** `kimi_k3_situ`. */
function situOf(g: GraphBuilder): Combine {
  const linear = g.shape.keys.real('activation.situ_linear_beta', 0) > 0;
  const limit = (tensor: Tensor): Tensor => ggml.scale(ggml.unary(ggml.scale(tensor), 'tanh'));
  return (gate, up) => {
    const activated = ggml.mul(limit(gate), ggml.unary(gate, 'sigmoid'));
    return ggml.mul(activated, linear ? limit(up) : up);
  };
}

function dense(g: GraphBuilder, cur: Tensor, layer: number, suffix: string, combine: Combine): Tensor {
  const product = (name: string, input: Tensor): Tensor =>
    g.mulMat(g.layerNeed(layer, `ffn_${name}${suffix}.weight`), input);
  return product('down', combine(product('gate', cur), product('up', cur)));
}

/** `build_latent_moe`: the experts work on narrower rows than their router. */
function latentExperts(g: GraphBuilder, cur: Tensor, layer: number, combine: Combine): Tensor {
  const down = g.layerWeight(layer, 'ffn_routed_down.weight');
  const narrow = down ? g.mulMat(down, cur) : cur;
  const logits = g.mulMat(g.layerNeed(layer, 'ffn_gate_inp.weight'), cur);
  let routed = experts(g, narrow, layer, {
    activation: 'silu',
    combine,
    gating: gatingOf(g, 'sigmoid'),
    ...weightsByHeader(g),
    logits,
  });
  if (g.layerWeight(layer, 'ffn_routed_norm.weight')) routed = g.rmsNorm(routed, layer, 'ffn_routed_norm.weight');
  const up = g.layerWeight(layer, 'ffn_routed_up.weight');
  if (up) routed = g.mulMat(up, routed);
  return g.layerWeight(layer, 'ffn_gate_shexp.weight')
    ? ggml.add(routed, dense(g, cur, layer, '_shexp', combine))
    : routed;
}
