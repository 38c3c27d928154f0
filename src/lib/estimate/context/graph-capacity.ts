import { CheckIncompleteError } from '../../errors.js';
import type { Graph } from '../ggml/graph.js';

interface Capacity {
  readonly perToken: number;
  readonly perTensor: number;
}

const MANY: Capacity = { perToken: 40, perTensor: 32 };

/** Architectures whose graphs have many small nodes: `llama_context::graph_max_nodes` (`src/llama-context.cpp`, v0.5.0). */
const MANY_NODES = new Map<string, Capacity>([
  ['kimi-k3', { perToken: 160, perTensor: 64 }],
  ['hrm_text', { perToken: 80, perTensor: 64 }],
  ['qwen3next', MANY],
  ['kimi-linear', MANY],
  ['bailingmoe3', MANY],
  ['qwen35', MANY],
  ['qwen35moe', MANY],
  ['qwen4exp', MANY],
  ['deepseek4', MANY],
  ['nanbeige', MANY],
  ['minimax-01', MANY],
  ['minimax-m3', MANY],
  ['hy_v4', MANY],
]);

/** Sizes that a hash set can have, up to the largest graph: `ggml_hash_size` (`ggml/src/ggml.c`). */
const HASH_SIZES = [1031, 2053, 4099, 8209, 16411, 32771, 65537, 131101, 262147, 524309, 1048583];

export interface GraphSize {
  readonly nodes: number;
  /** Inputs and weights. */
  readonly leafs: number;
  readonly inputs: number;
}

export function graphSize({ nodes, leafs }: Graph): GraphSize {
  let inputs = 0;
  for (const { buffer } of leafs) if (buffer === null) inputs++;
  return { nodes: nodes.length, leafs: leafs.length, inputs };
}

/** The code of the error about a graph that llama.cpp aborts on. */
export const TOO_LARGE = 'LAUNCH_GRAPH_TOO_LARGE';

/** Nodes that llama.cpp makes room for. */
export function maxNodes(architecture: string, nTensors: number, nTokens: number): number {
  const many = MANY_NODES.get(architecture);
  if (many) return Math.max(nTokens * many.perToken, many.perTensor * nTensors);
  return Math.max(1024, 8 * nTensors);
}

/**
 * llama.cpp aborts when a graph outgrows the room it made from the number of the model's weights: models with few fused
 * weights reach that with rotated (quantized) caches and split slots. The graph's own tensors (`llm_graph_result::reset`), its
 * leafs (`ggml_build_forward_impl`) and, both together, the scheduler's hash set (`ggml_backend_sched_reserve`) have limits.
 * @throws CheckIncompleteError where it would abort: what is wrong is no option by itself, but all of them with this model
 */
export function refuseOversizedGraph({ nodes, leafs, inputs }: GraphSize, limit: number): void {
  const hashSize = HASH_SIZES.find((size) => size >= limit) ?? limit;
  const exceeded = [
    [nodes + inputs > limit, `${nodes + inputs} nodes and inputs`, limit],
    [leafs >= limit, `${leafs} weights and inputs`, limit - 1],
    [nodes + leafs > hashSize, `${nodes + leafs} nodes, weights and inputs`, hashSize],
  ] as const;
  const [, what, room] = exceeded.find(([isExceeded]) => isExceeded) ?? [];
  if (what === undefined) return;
  throw new CheckIncompleteError(
    TOO_LARGE,
    `llama.cpp aborts on this launch: its graph has ${what}, and with this model there is room for ${room}`,
  );
}
