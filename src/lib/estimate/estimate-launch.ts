import type { AdapterShape, ModelShape, ProjectorShape } from '../model/model-shape.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { estimateMemory } from './estimate-memory.js';
import type { EstimatePart, GrowthPart, MemoryEstimate } from './memory-estimate.js';

/** The files of one launch: what `--model`, `--mmproj`, `--model-draft`, `--lora` and `--control-vector` name. */
export interface LaunchFiles {
  readonly model?: ModelShape | undefined;
  readonly projector?: ProjectorShape | undefined;
  readonly draft?: ModelShape | undefined;
  readonly adapters?: readonly AdapterShape[] | undefined;
}

/** `resolved` is the model's; without a model there is none. */
export type LaunchEstimate = Omit<MemoryEstimate, 'resolved'> & Partial<Pick<MemoryEstimate, 'resolved'>>;

/** What a file beside the model adds. */
export interface Addition {
  readonly parts: readonly EstimatePart[];
  readonly growth: readonly GrowthPart[];
  readonly notes: readonly string[];
}

/**
 * What llama-server allocates for all files of a launch, in bytes for each part, owner and device: `load_model` in
 * `tools/server/server-context.cpp` (llama.cpp v0.5.0).
 * @throws UsageError for combinations that llama.cpp refuses.
 * @throws CheckIncompleteError when a header lacks what its graph needs.
 */
export function estimateLaunch(
  files: LaunchFiles & { readonly model: ModelShape },
  launch: LaunchOptions,
): MemoryEstimate;
export function estimateLaunch(files: LaunchFiles, launch: LaunchOptions): LaunchEstimate;
export function estimateLaunch(files: LaunchFiles, launch: LaunchOptions): LaunchEstimate {
  const model: LaunchEstimate = files.model
    ? estimateMemory(files.model, launch)
    : { parts: [], growth: [], notes: [] };
  const additions: readonly Addition[] = [];
  return {
    ...model,
    parts: [...model.parts, ...additions.flatMap(({ parts }) => parts)],
    growth: [...model.growth, ...additions.flatMap(({ growth }) => growth)],
    notes: [...model.notes, ...additions.flatMap(({ notes }) => notes)],
  };
}
