import * as ggml from '../../../ggml/ops/ops.js';
import type { Tensor } from '../../../ggml/tensor.js';
import { attention } from '../../attention/attention.js';
import { attentionInput, type DecoderInputs } from '../../attention/attention-input.js';
import type { AttentionOptions } from '../../attention/multi-head.js';
import type { GraphBuilder } from '../../builder.js';
import { finishKeepingHidden } from '../../graph-end.js';
import { gatingOf } from '../../experts/experts.js';
import { decayRows, type Kda, kdaLayer, timesRates } from '../../recurrent/kda.js';
import { latentHeads, latentQueries } from '../../attention/latent.js';
import { feedForward } from '../../projections.js';
import { recurrentInput } from '../../recurrent/recurrent.js';
import { clampsOf, limited, withSharedExperts } from '../../experts/shared-experts.js';

interface Hybrid {
  readonly kda: (layer: number) => Kda;
  /** Latent attention of the other layers, projection included. */
  readonly attend: (cur: Tensor, layer: number, inputs: DecoderInputs) => Tensor;
  readonly feedForward: (cur: Tensor, layer: number) => Tensor;
  /** A layer's norm is computed before anything else. */
  readonly expandsNorm: boolean;
  /** Rows without output are dropped at the end, up to a version that drops all of them early. */
  readonly keepsHidden: boolean;
}

function hybrid(g: GraphBuilder, spec: Hybrid): void {
  let layerInput = g.inputEmbeddings();
  const recurrent = recurrentInput(g);
  const inputs: DecoderInputs = { positions: g.inputPositions(), attention: attentionInput(g) };
  const outIds = g.inputOutIds();
  for (const layer of g.layers) {
    let cur = g.rmsNorm(layerInput, layer, 'attn_norm.weight');
    if (spec.expandsNorm) g.expand(cur);
    cur = g.hparams.isRecurrent[layer]
      ? kdaLayer(g, recurrent, cur, layer, spec.kda(layer))
      : spec.attend(cur, layer, inputs);
    if (g.isLast(layer) && (g.params.llama.cropsEarly || !spec.keepsHidden)) {
      cur = g.pickOutputs(cur, outIds);
      layerInput = g.pickOutputs(layerInput, outIds);
    }
    const middle = ggml.add(cur, layerInput);
    cur = g.rmsNorm(middle, layer, 'ffn_norm.weight');
    layerInput = ggml.add(spec.feedForward(cur, layer), middle);
  }
  if (spec.keepsHidden) finishKeepingHidden(g, layerInput, outIds);
  else g.finishWithHead(layerInput);
}

/** Latent attention in a hybrid: keys only, values read out of them. */
function hybridLatent(
  g: GraphBuilder,
  cur: Tensor,
  layer: number,
  { positions, attention: input }: DecoderInputs,
  options: AttentionOptions & { readonly rotates: boolean },
): Tensor {
  const heads = latentHeads(g, cur, latentQueries(g, cur, layer), layer, options.rotates ? positions : null);
  return attention(g, input, layer, heads, { ...options, valueUp: g.layerNeed(layer, 'attn_v_b.weight') });
}

/** `src/models/kimi-linear.cpp` (llama.cpp v0.5.0). */
export function kimiLinear(g: GraphBuilder): void {
  const gating = gatingOf(g, 'sigmoid');
  hybrid(g, {
    kda: (layer) => ({
      decay: (cur) => timesRates(g, ggml.unary(decayRows(g, cur, layer), 'softplus'), layer),
      gate: (cur) => {
        const low = g.mulMat(g.layerNeed(layer, 'ssm_g_a.weight'), flattened(g, cur));
        return g.mulMat(g.layerNeed(layer, 'ssm_g_b.weight'), low);
      },
      storesFlat: true,
    }),
    attend: (cur, layer, inputs) => hybridLatent(g, cur, layer, inputs, { rotates: false }),
    feedForward: (cur, layer) =>
      layer < g.hparams.nLayerDenseLead
        ? feedForward(g, cur, layer, { activation: 'silu' })
        : withSharedExperts(g, cur, layer, { gating, normalise: true }),
    expandsNorm: true,
    keepsHidden: false,
  });
}

/** By sequence and back, as the gate reads its input. */
function flattened(g: GraphBuilder, cur: Tensor): Tensor {
  return ggml.reshape(ggml.reshape(cur, cur.ne[0], g.nSeqTokens, g.nSeqs), cur.ne[0], g.nTokens);
}

/** `src/models/bailingmoe3.cpp` (llama.cpp v0.5.0): each head of the latent attention has a gate. */
export function bailingMoe3(g: GraphBuilder): void {
  const gating = gatingOf(g, 'sigmoid');
  hybrid(g, {
    kda: (layer) => ({
      decay: (cur) => ggml.scale(ggml.unary(timesRates(g, decayRows(g, cur, layer), layer), 'sigmoid')),
      gate: (cur) => g.mulMat(g.layerNeed(layer, 'ssm_g_a.weight'), cur),
    }),
    attend: (cur, layer, inputs) => gatedLatent(g, cur, layer, inputs),
    feedForward: (cur, layer) =>
      layer < g.hparams.nLayerDenseLead
        ? feedForward(g, cur, layer, { activation: 'silu', clamped: limited(g, 'swiglu_clamp_shexp', layer) })
        : withSharedExperts(g, cur, layer, { gating, ...clampsOf(g, layer) }),
    expandsNorm: false,
    keepsHidden: true,
  });
}

/** Latent attention with a gate for each head, output projection included. */
export function gatedLatent(g: GraphBuilder, cur: Tensor, layer: number, inputs: DecoderInputs): Tensor {
  const heads = g.head(layer).q;
  const attended = hybridLatent(g, cur, layer, inputs, { rotates: true, output: null });
  const size = attended.ne[0] / heads;
  const gates = ggml.reshape(g.mulMat(g.layerNeed(layer, 'attn_gate.weight'), cur), 1, heads, g.nTokens);
  const gated = ggml.mul(ggml.reshape(attended, size, heads, g.nTokens), ggml.unary(gates, 'sigmoid'));
  return g.mulMat(g.layerNeed(layer, 'attn_output.weight'), ggml.contTo(gated, size * heads, g.nTokens));
}
