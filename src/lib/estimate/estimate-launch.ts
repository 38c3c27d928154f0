import type { AdapterShape, ModelShape, ProjectorShape } from '../model/model-shape.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { loadAdapters } from './load-adapters.js';
import { estimateDraft, estimateFreedDraft, targetGrowth, targetRole } from './draft/estimate-speculative.js';
import { speculationOf } from './draft/speculation.js';
import { unusableDraft } from './draft/unusable-drafts.js';
import { estimateOf } from './estimate-memory.js';
import { type Addition, type EstimatePart, type MemoryEstimate, withAdditions } from './memory-estimate.js';
import { steeringGrowth } from './context/buffer-growth.js';
import { planContext } from './context/plan-context.js';
import { estimateProjector, knownProjectorParts } from './projector/estimate-projector.js';

/** The files of one launch: what `--model`, `--mmproj`, `--model-draft`, `--lora` and `--control-vector` name. */
export interface LaunchFiles {
  readonly model?: ModelShape | undefined;
  readonly projector?: ProjectorShape | undefined;
  readonly draft?: ModelShape | undefined;
  readonly adapters?: readonly AdapterShape[] | undefined;
}

/** `resolved` is the model's; without a model there is none. */
export type LaunchEstimate = Omit<MemoryEstimate, 'resolved'> & Partial<Pick<MemoryEstimate, 'resolved'>>;

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
    ? withDraftAndAdapters(files.model, files, launch)
    : { parts: [], growth: [], notes: [] };
  return withAdditions(model, additionsOf(files, launch, model.resolved?.nCtxSeq ?? 0));
}

/** The model as its draft and adapters change it, and what they hold themselves. */
function withDraftAndAdapters(
  model: ModelShape,
  { projector, draft, adapters = [] }: LaunchFiles,
  given: LaunchOptions,
): MemoryEstimate {
  const asked = speculationOf(given, draft);
  const problem = unusableDraft(model, draft, asked);
  const speculation = problem === undefined ? asked : { ...asked, draftFreed: draft !== undefined };
  const launch: LaunchOptions = { ...given, specTypes: speculation.types };
  const loaded = loadAdapters(adapters, model, launch);
  const options = {
    // As parts were measured; a model alone was measured, and llama.cpp's own dry run is done, without loading anything.
    weightsApart: Boolean(projector ?? draft) || adapters.length > 0 || asked.types.length > 0,
    role: targetRole(speculation),
    ...(loaded.applied.length > 0 ? { adapters: loaded.applied } : {}),
  };
  const context = planContext(model, launch, options);
  const estimate = estimateOf(context, launch);
  const growth = problem === undefined ? targetGrowth(context, launch, speculation, draft, options) : [];
  const additions: Addition[] = [
    { parts: loaded.parts, growth, notes: problem === undefined ? [] : [without(problem)] },
    ...(loaded.steers ? [{ parts: [], growth: steeringGrowth(context, launch, options), notes: [] }] : []),
  ];
  if ((draft && !speculation.draftFreed) || speculation.usesHead)
    additions.push(estimateDraft(draft, context, estimate.resolved, launch, speculation));
  if (!draft || !speculation.draftFreed) return withAdditions(estimate, additions);
  const { notes, transient = [] } = estimateFreedDraft(draft, context, estimate.resolved, given, speculation);
  const said = problem === undefined ? notes : [];
  return { ...withAdditions(estimate, [...additions, { parts: [], growth: [], notes: said }]), transient };
}

/** What llama-server says, and does all the same. */
function without(problem: string): string {
  return `llama-server will answer without drafting, and keep no draft: ${problem}; name one that was made for this model with --spec-draft-model`;
}

/** What a launch's projector holds from its start on, as far as that was estimated before, beside whatever model. */
export function knownBesideModel({ projector }: LaunchFiles, launch: LaunchOptions): readonly EstimatePart[] {
  return projector && loadsProjector(launch) ? (knownProjectorParts(projector, launch) ?? []) : [];
}

/** What the files beside the model add; `contextTokens` is what one slot holds. */
function additionsOf(
  { projector }: Omit<LaunchFiles, 'model'>,
  launch: LaunchOptions,
  contextTokens: number,
): readonly Addition[] {
  return projector && loadsProjector(launch) ? [estimateProjector(projector, launch, contextTokens)] : [];
}

function loadsProjector({ mmproj, mmprojAuto }: LaunchOptions): boolean {
  return mmproj !== undefined || mmprojAuto !== false;
}
