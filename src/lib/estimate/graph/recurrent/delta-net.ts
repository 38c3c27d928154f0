import * as ggml from '../../ggml/ops/ops.js';
import { requireShares } from '../../ggml/ops/operands.js';
import { gatedDeltaNet, ssmConv } from '../../ggml/ops/recurrent-ops.js';
import type { Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';
import { projected } from '../projections.js';
import { convolutionWindow, layerStates, loadStates, type RecurrentInput } from './recurrent.js';

/** What a gated delta net's layer projects from its input. */
export interface DeltaNetParts {
  /** Queries, keys and values: [channels, tokens, sequences]. */
  readonly qkv: Tensor;
  /** Gate of the output. */
  readonly z: Tensor;
  /** [1, heads, tokens, sequences] each. */
  readonly beta: Tensor;
  readonly decay: Tensor;
}

export interface DeltaNet {
  readonly parts: (g: GraphBuilder, cur: Tensor, layer: number) => DeltaNetParts;
  /** Each key head is copied for the value heads that share it; the kernel could do without. */
  readonly repeatsKeys: boolean;
  readonly outputGate?: 'silu' | 'sigmoid';
  /** What becomes the convolution's state is copied first. */
  readonly copiesWindow?: boolean;
}

/**
 * `build_layer_attn_linear` (`src/models/qwen3next.cpp`, `qwen35.cpp`) with `build_conv_state`, `build_recurrent_attn` and
 * `build_delta_net_fused` (`src/models/delta-net-base.cpp`, llama.cpp v0.5.0).
 */
export function deltaNetLayer(
  g: GraphBuilder,
  input: RecurrentInput,
  cur: Tensor,
  layer: number,
  { parts, repeatsKeys, outputGate = 'silu', copiesWindow = false }: DeltaNet,
): Tensor {
  const { nSeqTokens, nSeqs } = g;
  const { conv, inner, state: keySize, dtRank: heads, groups: keyHeads } = g.hparams.ssm;
  requireShares('value heads', heads, keyHeads);
  const headSize = inner / heads;
  const { qkv, z, beta, decay } = parts(g, cur, layer);
  const caches = layerStates(g, input, layer);
  const window = convolutionWindow(g, input, caches.conv, ggml.transpose(qkv), conv - 1, copiesWindow);
  const state = ggml.reshape(loadStates(g, input, caches.state), headSize, headSize, heads, nSeqs);
  const convolved = ggml.unary(ssmConv(window, g.layerNeed(layer, 'ssm_conv1d.weight')), 'silu');

  const row = ggml.rowSize(convolved, 2 * keySize * keyHeads + inner);
  const part = (size: number, count: number, offset: number): Tensor =>
    ggml.view4d(
      convolved,
      [size, count, nSeqTokens, nSeqs],
      ggml.rowSize(convolved, size),
      row,
      row * nSeqTokens,
      ggml.rowSize(convolved, offset),
    );
  const normed = (offset: number): Tensor => {
    const unit = ggml.scale(ggml.rmsNorm(part(keySize, keyHeads, offset)));
    return repeatsKeys && keyHeads !== heads ? repeatHeads(g, unit, heads) : unit;
  };
  const q = normed(0);
  const k = normed(keySize * keyHeads);
  const v = part(headSize, heads, 2 * keySize * keyHeads);

  const snapshots = 1 + g.params.role.statesKept;
  const result = gatedDeltaNet(q, k, v, decay, beta, state, snapshots);
  const output = snapshots > 1 ? attendAndKeep(g, caches.state, result, v) : attendAndStore(g, caches.state, result, v);
  const normedOutput = g.norm(output, g.layerNeed(layer, 'ssm_norm.weight'), null, 'rms', layer);
  const gate = ggml.unary(ggml.reshape(z, headSize, heads, nSeqTokens, nSeqs), outputGate);
  const gated = ggml.mul(normedOutput, gate);
  if (g.params.llama.leanRecurrentLayers)
    return projected(g, ggml.reshape(gated, inner, nSeqTokens * nSeqs), layer, 'ssm_out');
  const flat = ggml.reshape(gated, inner, nSeqTokens, nSeqs);
  return ggml.reshape(projected(g, flat, layer, 'ssm_out'), g.nEmbd, nSeqTokens * nSeqs);
}

function repeatHeads(g: GraphBuilder, cur: Tensor, heads: number): Tensor {
  const [size, keyHeads] = cur.ne;
  const tokens = g.nSeqTokens * g.nSeqs;
  const repeated = ggml.repeat(ggml.reshape(cur, size, 1, keyHeads, tokens), [
    size,
    heads / keyHeads,
    keyHeads,
    tokens,
  ]);
  return ggml.reshape(repeated, size, heads, g.nSeqTokens, g.nSeqs);
}

/** The kernel's result holds the output, then the new states, which go back to the cache. */
export function attendAndStore(g: GraphBuilder, states: Tensor, result: Tensor, v: Tensor, flat = false): Tensor {
  const [size, heads, tokens, sequences] = v.ne;
  const bytes = (count: number): number => ggml.rowSize(result, count);
  const output = ggml.view4d(result, v.ne, bytes(size), bytes(size * heads), bytes(size * heads * tokens), 0);
  const newStates = ggml.view4d(
    result,
    [size, size, heads, sequences],
    bytes(size),
    bytes(size * size),
    bytes(size * size * heads),
    bytes(size * heads * tokens * sequences),
  );
  const place = flat
    ? ggml.view1d(states, states.ne[0] * sequences, 0)
    : ggml.view2d(states, states.ne[0], sequences, states.nb[1], 0);
  g.expand(ggml.cpy(newStates, place));
  return output;
}

/** `build_recurrent_attn` where earlier states are kept: the kernel's last states, newest first, each into its group of rows. */
function attendAndKeep(g: GraphBuilder, states: Tensor, result: Tensor, v: Tensor): Tensor {
  const [size, heads, tokens, sequences] = v.ne;
  const bytes = (count: number): number => ggml.rowSize(result, count);
  const output = ggml.view4d(result, v.ne, bytes(size), bytes(size * heads), bytes(size * heads * tokens), 0);
  const state = size * size * heads;
  const written: [number, number, number] = [state, sequences, Math.min(tokens, result.snapshots)];
  const newStates = ggml.view3d(
    result,
    written,
    bytes(state),
    bytes(state * sequences),
    bytes(size * heads * tokens * sequences),
  );
  const group = (g.memory.recurrent?.rows ?? 0) * states.nb[1];
  g.expand(ggml.cpy(newStates, ggml.view3d(states, written, states.nb[1], group, 0)));
  return output;
}
