import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { ContextRole } from '../context/context-params.js';
import { bufferGrowth } from '../context/buffer-growth.js';
import { WITHOUT_DRAFT } from '../context/context-params.js';
import { isSplit } from '../context/batches-in-use.js';
import { type DeviceBytes, largerOf } from '../ggml/device.js';
import type { ArchitectureGraph } from '../graph/architecture-graph.js';
import { dflashInjection } from '../graph/drafts/dflash.js';
import { eagle3Encoder } from '../graph/drafts/eagle3.js';
import type {
  Addition,
  EstimatePart,
  GrowthPart,
  MemoryEstimate,
  PartOwner,
  ResolvedLaunch,
} from '../memory-estimate.js';
import { accuracyBeside, weightParts } from '../parts.js';
import {
  changesGraphs,
  type ContextOptions,
  contextParts,
  outputBytes,
  planContext,
  type PlannedContext,
  planGraph,
} from '../context/plan-context.js';
import { undescribed } from '../estimate-memory.js';
import { anchorTokens, draftedAtOnce, draftedInUse } from './blocks.js';
import { draftLaunch } from './draft-launch.js';
import { contextFlags, refuseCutBlocks, refuseCutPrompts } from '../refused-launches.js';
import { draftTypeOf, type Speculation } from './speculation.js';
import { besideModel } from './unusable-drafts.js';

/** What the model's context is told when it is made. */
export function targetRole({ drafted, statesKept }: Speculation): ContextRole {
  return { ...WITHOUT_DRAFT, outputsPerSlot: 1 + drafted, statesKept };
}

/** What it becomes at the first request, when the draft has asked for what it reads of every token. */
function targetRoleInUse(speculation: Speculation, target: ModelShape, draft: ModelShape | undefined): ContextRole {
  const { nLayer } = target.hparams;
  const read = speculation.readsLayers ? (draft?.keys.indices('target_layers') ?? []) : [];
  return {
    ...targetRole(speculation),
    tapped: [...new Set(read)].filter((layer) => layer < nLayer),
    keepsAllRows: speculation.types.includes('draft-mtp') || read.includes(nLayer),
  };
}

/** What the draft's context is told, or that of the model's own head. */
function draftRole(speculation: Speculation, target: PlannedContext): ContextRole {
  const { draftsBlocks, draftMax, sampled, types } = speculation;
  return {
    ...WITHOUT_DRAFT,
    outputsPerSlot: draftsBlocks ? draftMax + 1 : 1,
    predictsAhead: types.includes('draft-mtp'),
    sampled,
    keepsRows: types.some((type) => type !== 'draft-simple' && type.startsWith('draft-')),
    target: { shape: target.shape, placement: target.placement, memory: target.memory },
  };
}

/** What the model's own buffers become in use. */
export function targetGrowth(
  target: PlannedContext,
  launch: LaunchOptions,
  speculation: Speculation,
  draft: ModelShape | undefined,
  options: ContextOptions,
): GrowthPart[] {
  const { shape, params } = target;
  if (speculation.drafted === 0) return [];
  const role = targetRoleInUse(speculation, shape, draft);
  const atFirst = outputBytes(shape, params, params.nSeqMax);
  const drafted = draft?.architecture === 'dflash' ? draftedInUse(draft, speculation) : speculation.drafted;
  const rows = Math.min(params.nOutputsMax, params.nSeqMax * (1 + drafted));
  const outputs = outputBytes(shape, { ...params, role }, Math.max(rows, params.nSeqMax));
  // Layers that are read make llama.cpp reserve again, for the largest batch; rows that are kept only change the graphs of batches,
  // as does where a few tokens are computed of a model that lies on both devices.
  const inUse = role.tapped.length === 0;
  const changes = inUse ? role.keepsAllRows && (isSplit(target) || changesGraphs(target, role)) : true;
  const later = changes ? planContext(shape, launch, { ...options, role, inUse }).compute.bytes : target.compute.bytes;
  return [...bufferGrowth('model', target, later), ...outputGrowth('model', outputs - atFirst)];
}

/** The draft's file, its context, and what both become in use. */
export function estimateDraft(
  draft: ModelShape | undefined,
  target: PlannedContext,
  resolved: ResolvedLaunch,
  launch: LaunchOptions,
  speculation: Speculation,
): Addition {
  const own = draftLaunch(launch, resolved, draft !== undefined);
  const shape = draft ?? target.shape;
  const of: PartOwner = draft ? 'draft' : 'mtp';
  const options = { role: draftRole(speculation, target), weightsApart: true };
  const context = besideModel(draft, () => planContext(shape, own, options));
  const { ubatch } = contextFlags(true, own);
  if (speculation.draftsBlocks && shape.keys.raw('attention.causal') !== true)
    refuseCutBlocks(
      draftedAtOnce(shape, speculation) + anchorTokens(shape, speculation),
      context.params.nSeqMax,
      context.params.nUbatch,
      ubatch,
    );
  const { nBatch, nCtx, nUbatch } = context.params;
  // What has layers that only predict reads prompts from its model's cache.
  const readsPrompts = draft !== undefined && draft.hparams.nLayer > 0 && !speculation.draftsBlocks;
  if (readsPrompts && !draft.hparams.causal) refuseCutPrompts(Math.min(nBatch, nCtx), nUbatch, ubatch);
  return {
    parts: [
      ...(draft ? weightParts(context.placement, of, accuracyBeside(own)) : []),
      ...contextParts(context, own, of),
    ],
    growth: draftGrowth(
      context,
      of,
      speculation,
      () => planContext(shape, own, { ...options, inUse: true }).compute.bytes,
    ),
    notes: context.described ? [] : [undescribed(shape.architecture)],
  };
}

/**
 * A draft that no type of speculative decoding uses: `load_model` loads it with a context and frees both again.
 */
export function estimateFreedDraft(
  draft: ModelShape,
  target: PlannedContext,
  resolved: ResolvedLaunch,
  launch: LaunchOptions,
  speculation: Speculation,
): Pick<MemoryEstimate, 'transient' | 'notes'> {
  const { parts } = estimateDraft(draft, target, resolved, launch, speculation);
  const named = (launch.specTypes ?? []).join();
  return {
    transient: whileLoading(parts),
    notes: [
      `llama-server loads the draft and frees it before it answers, because ${named === '' ? 'nothing in its header says how it drafts' : `--spec-type ${named} does not use one`}; --spec-type ${draftTypeOf(draft)} makes use of it`,
    ],
  };
}

/** One part for each device. */
function whileLoading(parts: readonly EstimatePart[]): EstimatePart[] {
  const sums = new Map<string, EstimatePart>();
  for (const part of parts.filter(({ name }) => name !== 'weights-unread')) {
    const key = `${part.device} ${part.gpu}`;
    sums.set(key, { ...part, name: 'loading', bytes: part.bytes + (sums.get(key)?.bytes ?? 0) });
  }
  return [...sums.values()];
}

/** Graphs that read what the target's layers put out. */
const READS_FEATURES: Readonly<Record<string, ArchitectureGraph>> = { dflash: dflashInjection, eagle3: eagle3Encoder };

/** `llama_encode` has a row for each token of a batch; a block's tokens each have one. EAGLE3 reads prompts part after part. */
function draftGrowth(
  context: PlannedContext,
  of: PartOwner,
  speculation: Speculation,
  inUse: () => DeviceBytes,
): GrowthPart[] {
  const { shape, params, compute } = context;
  const reads = speculation.types.includes('draft-eagle3');
  const rows = reads
    ? params.nUbatch
    : shape.architecture === 'dflash'
      ? params.nSeqMax * (draftedAtOnce(shape, speculation) + 1)
      : params.nSeqMax;
  const more = outputBytes(shape, params, Math.max(rows, params.nSeqMax)) - outputBytes(shape, params, params.nSeqMax);
  const read = READS_FEATURES[shape.architecture];
  const injected =
    read !== undefined && context.described
      ? bufferGrowth(
          of,
          context,
          largerOf(reads ? inUse() : compute.bytes, planGraph(read, context, { inUse: true }).bytes),
        )
      : [];
  return [...injected, ...outputGrowth(of, more)];
}

function outputGrowth(of: PartOwner, maxBytes: number): GrowthPart[] {
  return maxBytes > 0 ? [{ name: 'output', of, device: 'host', maxBytes }] : [];
}
