import { graphError } from '../../ggml/graph-error.js';
import * as ggml from '../../ggml/ops/ops.js';
import type { Four, Tensor } from '../../ggml/tensor.js';
import type { AttentionInput, KvInput } from './attention-input.js';
import type { GraphBuilder } from '../builder.js';
import { overCache, type Qkv, rotationsOf } from './kv-store.js';
import { type AttentionOptions, multiHead } from './multi-head.js';

/** `build_attn`: stores K and V, attends, projects. */
export function attention(
  g: GraphBuilder,
  input: AttentionInput,
  layer: number,
  qkv: Qkv,
  options: AttentionOptions = {},
): Tensor {
  const sliding = input.sliding !== null && g.hparams.isSwa[layer] === true;
  const kv = sliding ? input.sliding : input.full;
  let cur = kv
    ? attendOverCache(g, kv, layer, qkv, options, input.sliding !== null)
    : attendOverBatch(g, input, layer, qkv, options);
  const output = options.output === undefined ? 'attn_output' : options.output;
  if (output === null) return cur;
  const projection = g.layerWeight(layer, `${output}.weight`);
  if (projection) cur = g.mulMat(projection, cur, g.layerWeight(layer, `${output}.scale`));
  return g.addBias(cur, g.layerWeight(layer, `${output}.bias`));
}

function attendOverCache(
  g: GraphBuilder,
  kv: KvInput,
  layer: number,
  qkv: Qkv,
  options: AttentionOptions,
  windowed: boolean,
): Tensor {
  const latent = options.valueUp !== undefined && options.valueUp !== null;
  const { q, keys, values } = overCache(g, kv, layer, qkv, { latent, keysFirst: windowed && !latent });
  const cur = multiHead(g, layer, { q, k: keys, v: values }, options.mask ?? kv.mask, options);
  const { vRotation } = rotationsOf(g, kv, layer);
  return latent || !vRotation ? cur : ggml.mulMatHadamard(cur, vRotation);
}

function attendOverBatch(
  g: GraphBuilder,
  input: AttentionInput,
  layer: number,
  { q, k, v }: Qkv,
  options: AttentionOptions,
): Tensor {
  const mask = g.hparams.isSwa[layer] ? input.batchSlidingMask : input.batchMask;
  if (!k || !v || !mask) throw graphError('attention without a cache needs keys, values and a mask');
  for (const tensor of [q, k, v]) g.expand(tensor);
  if (!g.params.llama.paddedBatchAttention || input.isCross) return multiHead(g, layer, { q, k, v }, mask, options);
  const padded = ({ ne }: Tensor): Four => [ne[0], ne[1], mask.ne[0], ne[3]];
  const keys = ggml.padTo(k, padded(k));
  const values = ggml.padTo(v, padded(v));
  const bias = options.bias ? ggml.padTo(options.bias, [mask.ne[0], ...rest(options.bias)]) : null;
  return multiHead(g, layer, { q, k: keys, v: values }, mask, { ...options, bias });
}

function rest({ ne: [, ne1, ne2, ne3] }: Tensor): [number, number, number] {
  return [ne1, ne2, ne3];
}
