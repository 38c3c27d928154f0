import type { CachedLayers } from '../../caches/expert-cache.js';
import * as ggml from '../../ggml/ops/ops.js';
import { type Buffer, contiguousStrides, type Four, I32, isContiguous, Tensor } from '../../ggml/tensor.js';
import type { GraphBuilder } from '../builder.js';

/** Larger batches use most experts of a layer, and read the host's: `llama_moe_cache::impl::max_batch`. */
const MAX_TOKENS = 32;
const HOST: Buffer = { device: 'cpu', usage: 'weights', repacked: false };

/** Experts that are read where a GPU keeps them, by the place that each has there. */
export interface CachedProducts {
  readonly slots: Tensor;
  /** What stands for a weight, by its name such as `ffn_up_exps`. */
  readonly bankOf: (name: string) => Tensor;
}

/**
 * `build_moe_cache_slots` (`src/llama-graph.cpp`, llama.cpp v0.8.0): null where the experts are read as they lie.
 * @param names the layer's weights of experts, as the file calls them
 */
export function cachedExperts(
  g: GraphBuilder,
  layer: number,
  chosen: Tensor,
  names: readonly string[],
): CachedProducts | null {
  const cached = g.memory.experts?.layers.get(g.hparams.blockOf[layer] ?? layer);
  if (!cached || !isRead(cached, chosen) || !names.every((name) => cached.weights.has(name))) return null;
  const [used, tokens] = chosen.ne;
  const contiguous = isContiguous(chosen) ? chosen : ggml.cont(chosen);
  const map = external(I32, [1, cached.nExpert, 1, 1], HOST);
  const places = ggml.getRows(map, ggml.reshape(contiguous, used * tokens));
  if (!g.pinToGpu(places, cached.device)) return null;
  g.expand(places);
  return { slots: ggml.reshape(places, used, tokens), bankOf: (name) => bankOf(cached, name) };
}

/** `llama_moe_cache::get_slot_map`. */
function isRead({ nExpert, slots }: CachedLayers, { ne: [used, tokens] }: Tensor): boolean {
  return tokens > 0 && tokens <= MAX_TOKENS && Math.min(tokens * used, nExpert) <= slots;
}

/** All places but the last, which nothing is kept in. */
function bankOf({ device, slots, weights }: CachedLayers, name: string): Tensor {
  const weight = weights.get(name);
  if (!weight) throw new Error(`${name} is not kept on the GPU`);
  const [ne0, ne1] = weight.ne;
  const bank = external(weight.type, [ne0, ne1, slots + 1, 1], { ...HOST, device });
  return Object.assign(ggml.view3d(bank, [ne0, ne1, slots], bank.nb[1], bank.nb[2], 0), { buffer: bank.buffer });
}

function external(type: Tensor['type'], ne: Four, buffer: Buffer): Tensor {
  return Object.assign(new Tensor(type, ne, contiguousStrides(type, ne)), { buffer });
}
