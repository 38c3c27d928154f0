import { MAX_LAYERS } from '../../gguf/limits.js';
import type { Hparams } from '../hparams.js';
import { refusedByLoader } from './load-error.js';

/** `LLAMA_MAX_EXPERTS` (`src/llama-hparams.h`). */
const MAX_EXPERTS = 1024;

/**
 * How many layers a header may claim, of which the last only predict tokens ahead: `load_hparams`
 * (`src/llama-model.cpp`, llama.cpp v0.5.0).
 * @throws CheckIncompleteError MODEL_COUNT_INVALID
 */
export function checkLayerCounts(nLayerAll: number, nLayerNextn: number): void {
  hold('block_count', nLayerAll, 1, MAX_LAYERS);
  hold('nextn_predict_layers', nLayerNextn, 0, nLayerAll);
}

/**
 * How often a model runs its blocks, each time as layers of their own: `src/models/nanbeige.cpp` (llama.cpp v0.5.0).
 * @throws CheckIncompleteError MODEL_COUNT_INVALID
 */
export function checkLoops(blocks: number, loops: number): void {
  hold('num_loops', loops, 1, Math.floor(MAX_LAYERS / blocks));
}

/**
 * The passes of cycles over two stacks of blocks are its layers: `src/models/hrm-text.cpp` (llama.cpp v0.5.0).
 * @throws CheckIncompleteError MODEL_COUNT_INVALID
 */
export function checkCycles(layers: number, perStack: number, highCycles: number, lowCycles: number): void {
  hold('hrm.layers_per_stack', perStack, 1, layers);
  hold('hrm.h_cycles', highCycles, 1, layers);
  hold('hrm.l_cycles', lowCycles, 1, layers);
  const passes = perStack * highCycles * (lowCycles + 1);
  hold('block_count', layers, passes, passes);
}

/**
 * At least one layer with a window and one without must have a cache that the last layers can share: `create_memory`
 * (`src/llama-model.cpp`, llama.cpp v0.5.0).
 * @throws CheckIncompleteError MODEL_COUNT_INVALID
 */
export function checkSharedCaches(layers: number, shared: number): void {
  hold('attention.shared_kv_layers', shared, 0, layers - 2);
}

/**
 * The experts' counts against each other: `load_hparams` (`src/llama-model.cpp`, llama.cpp v0.5.0).
 * @throws CheckIncompleteError MODEL_COUNT_INVALID
 */
export function checkExpertCounts(
  hparams: Pick<Hparams, 'nExpert' | 'nExpertUsed' | 'nExpertGroups' | 'nGroupUsed'>,
): void {
  const { nExpert, nExpertUsed, nExpertGroups, nGroupUsed } = hparams;
  hold('expert_count', nExpert, 0, MAX_EXPERTS);
  hold('expert_used_count', Math.max(...nExpertUsed), nExpert > 0 ? 1 : 0, nExpert);
  hold('expert_group_count', nExpertGroups, 0, Math.max(0, nExpert - 1));
  if (nExpertGroups <= 1) return;
  hold('expert_group_used_count', nGroupUsed, 1, nExpertGroups - 1);
  if (nExpert % nExpertGroups !== 0) {
    throw invalid(`expert_count ${nExpert} is not a multiple of expert_group_count ${nExpertGroups}`);
  }
}

function hold(key: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw invalid(`${key} is ${value}; it can be ${least === most ? `only ${least}` : `${least} to ${most}`}`);
}

function invalid(reason: string): Error {
  return refusedByLoader('MODEL_COUNT_INVALID', reason);
}
