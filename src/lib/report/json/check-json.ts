import { totalBytes, type GrowthPart } from '../../estimate/memory-estimate.js';
import type { Budget } from '../../budget/budget.js';
import type { Shape } from '../../model/model-shape.js';
import type { LoadedDraft, LoadedFile } from '../../preflight/beside/beside-files.js';
import type { LoadedProjector } from '../../preflight/beside/beside.js';
import type { MemoryCheck } from '../../preflight/memory-check.js';
import { isEstimated, type Advice } from '../../preflight/advice/advice.js';
import { tightness, type Tightness } from '../../preflight/judge/tightness.js';
import { headroomBytes, type LimitCheck } from '../../preflight/judge/verdict.js';
import type { CommandOf } from '../words/advice-text.js';
import { failureOf } from '../words/failure-text.js';
import { warningsOf } from '../words/warnings.js';
import { redactedSource } from '../../source/redacted-url.js';

/** The commands that were asked for beside a check, and what is to be known of them. */
interface Commands {
  readonly of: CommandOf;
  readonly notes: readonly string[];
}

/** A check as one JSON object, described by `schemas/check-memory.schema.json`. Amounts are bytes. */
export function checkJson(check: MemoryCheck, commands?: Commands): Record<string, unknown> {
  const { shape, estimate, verdict, header, entry, launch } = check;
  const limits = verdict.kind === 'unknown' ? [] : verdict.limits;
  const failure = failureOf(check);
  return {
    model: {
      name: check.model,
      id: entry?.id ?? null,
      architecture: shape?.architecture ?? null,
      quantization: shape?.quantization ?? check.resolved.quantization ?? null,
      parameters: shape?.parameterCount ?? null,
      trainedContext: shape?.hparams.nCtxTrain ?? null,
      fileBytes: shape?.fileBytes ?? null,
    },
    source: {
      uri: redactedSource(check.source),
      file: header?.file?.path ?? null,
      commit: header?.file?.commit ?? null,
      header: header?.origin ?? null,
      derived: header?.derived ?? false,
    },
    projector: check.projector === undefined ? null : projectorJson(check.projector),
    draft: check.named?.draft === undefined ? null : draftJson(check.named.draft),
    adapters: (check.named?.adapters ?? []).map(fileJson),
    launch: { accelerator: launch.accelerator, mode: launch.mode ?? 'chat', ...estimate?.resolved },
    choice: choiceJson(check),
    estimate:
      estimate === undefined
        ? null
        : { parts: [...estimate.parts, ...(estimate.transient ?? [])], growth: estimate.growth.map(bounded) },
    requirementBytes: limits[0]?.requiredBytes ?? (estimate === undefined ? null : totalBytes(estimate)),
    budget: limits[0] === undefined ? null : budgetJson(limits[0].budget),
    headroomBytes: limits[0] === undefined ? null : headroomBytes(limits[0]),
    ...('largest' in check && { largestContext: check.largest ?? null }),
    verdict: verdict.kind,
    limits: limits.map(limitJson),
    tight:
      verdict.kind === 'tight'
        ? tightness(limits, verdict.estimate.growth).map((cause) => tightJson(cause, check.remedy))
        : [],
    programs: check.programs ?? [],
    suggestions: (check.advice ?? []).map((advice) => adviceJson(advice, commands?.of)),
    hints: check.suggestions,
    warnings: [...warningsOf(check), ...(commands?.notes ?? [])],
    ...(failure && { error: { code: failure.code, message: failure.message } }),
  };
}

function fileJson({ source, shape }: LoadedFile<Shape>): Record<string, unknown> {
  return { source: redactedSource(source), quantization: shape.quantization, fileBytes: shape.fileBytes };
}

function draftJson({ reason, ...file }: LoadedDraft): Record<string, unknown> {
  return { ...fileJson(file), file: file.file ?? null, reason };
}

/** What llama-server will choose by itself where context or layers were left open. */
function choiceJson({ choice }: MemoryCheck): Record<string, unknown> | null {
  if (choice === undefined) return null;
  const { nCtx, gpuLayers, overridden, gaveUp, contextWasOpen, layersWereOpen } = choice;
  return {
    ctxSize: contextWasOpen ? nCtx : null,
    gpuLayers: layersWereOpen ? gpuLayers : null,
    overridden,
    gaveUp: gaveUp ?? null,
  };
}

function projectorJson({ source, reason, shape }: LoadedProjector): Record<string, unknown> {
  return { source: redactedSource(source), reason, quantization: shape.quantization, fileBytes: shape.fileBytes };
}

/** One memory, what is taken of it and its budget, in bytes. */
export function limitJson(limit: LimitCheck): Record<string, unknown> {
  const { name, gpu, requiredBytes, budget } = limit;
  return {
    name,
    ...(gpu !== undefined && { gpu }),
    requiredBytes,
    budget: budgetJson(budget),
    headroomBytes: headroomBytes(limit),
  };
}

/** Who has said it is for people. */
function budgetJson({ ...budget }: Budget & { from?: string }): Budget {
  delete budget.from;
  return budget;
}

/** Why a fit is tight; JSON has no infinity, so what can grow without bound is null. */
function tightJson(cause: Tightness, remedy: MemoryCheck['remedy']): Record<string, unknown> {
  switch (cause.reason) {
    case 'others':
      return { ...cause };
    case 'growth':
      return {
        reason: cause.reason,
        overBytes: Number.isFinite(cause.overBytes) ? cause.overBytes : null,
        cacheRamMiB: cause.cacheRamMiB ?? null,
        flags: remedy ?? (cause.cacheRamMiB === undefined ? [] : [`--cache-ram ${cause.cacheRamMiB}`]),
      };
    case 'headroom':
      return {
        reason: cause.reason,
        limit: cause.limit.name,
        ...gpuNumber(cause.limit),
        headroomBytes: headroomBytes(cause.limit),
      };
  }
}

function gpuNumber({ gpu }: LimitCheck): { gpu?: number } {
  return gpu === undefined ? {} : { gpu };
}

/** `flags` and `leaveOut`, or `command`, are what to type. */
function adviceJson(advice: Advice, commandOf?: CommandOf): Record<string, unknown> {
  const { changes, verdict, flags, leaveOut = [], model, runFirst } = advice;
  const [limit] = verdict.limits;
  const { nCtx, slots } = verdict.estimate.resolved;
  const quantized = changes.find((change) => change.kind === 'quantization');
  return {
    kinds: changes.map(({ kind }) => kind),
    flags,
    leaveOut,
    model: model ?? null,
    runFirst: runFirst ?? null,
    ...(commandOf && { command: commandOf(advice)?.join(' ') ?? null }),
    requirementBytes: limit?.requiredBytes ?? null,
    headroomBytes: limit === undefined ? null : headroomBytes(limit),
    limits: verdict.limits.map(limitJson),
    verdict: verdict.kind,
    nCtx,
    slots,
    quantization: quantized?.variant.quantization ?? null,
    estimated: isEstimated(advice),
  };
}

/** JSON has no infinity: growth without bound is null. */
function bounded(growth: GrowthPart): Record<string, unknown> {
  return { ...growth, maxBytes: Number.isFinite(growth.maxBytes) ? growth.maxBytes : null };
}
