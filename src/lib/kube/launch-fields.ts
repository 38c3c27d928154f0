import type { ResolvedLaunch } from '../estimate/memory-estimate.js';
import { deviceWords } from '../runtime/options/device-options.js';
import { draftWords } from '../runtime/options/draft-options.js';
import { type CacheType, type LaunchOptions, withoutOptions } from '../runtime/launch-options.js';
import { ENUM_CACHE_TYPES, type InferenceServiceSpec } from './client/api.js';
import { API_BOUNDS } from './bounds.js';
import { speculativeField } from './speculative-field.js';
import { EVERY_LAYER } from '../runtime/server-defaults.js';

type LaunchFields = Pick<
  InferenceServiceSpec,
  | 'contextSize'
  | 'parallelSlots'
  | 'batchSize'
  | 'uBatchSize'
  | 'flashAttention'
  | 'cacheTypeK'
  | 'cacheTypeV'
  | 'cacheTypeCustomK'
  | 'cacheTypeCustomV'
  | 'moeCPUOffload'
  | 'moeCPULayers'
  | 'noKvOffload'
  | 'mode'
  | 'speculativeDecoding'
>;

/** The layers that the operator and the agent offload when nothing is said. */
const DEFAULT_GPU_LAYERS = 99;

/**
 * Launch options as fields of the InferenceService, and as llama-server's own arguments where the API has no field or
 * the operator would not pass the value on, so that what is deployed is what was checked.
 * @param resolved what the check assumed for options that were left out; undefined when nothing was checked.
 * @param draftModel the draft among the files of the Model
 */
export function launchFields(
  launch: LaunchOptions,
  resolved: ResolvedLaunch | undefined,
  draftModel?: string,
): { fields: LaunchFields; extraArgs: string[] } {
  const extraArgs: string[] = [];
  const speculativeDecoding = speculativeField(launch, draftModel);
  const fields = {
    ...contextFields(launch, resolved, extraArgs),
    ...slotFields(launch, extraArgs),
    ...flashAttentionFields(launch, resolved, extraArgs),
    ...cacheTypeFields('K', launch.cacheTypeK),
    ...cacheTypeFields('V', launch.cacheTypeV),
    ...expertFields(launch.cpuMoeLayers),
    ...(launch.batchSize !== undefined && { batchSize: launch.batchSize }),
    ...(launch.ubatchSize !== undefined && { uBatchSize: launch.ubatchSize }),
    ...(launch.kvOffload === false && { noKvOffload: true }),
    ...(launch.mode !== undefined && launch.mode !== 'chat' && { mode: launch.mode }),
    ...(speculativeDecoding && { speculativeDecoding }),
  };
  if (launch.accelerator !== 'cpu' && launch.gpuLayers === 0) extraArgs.push('--n-gpu-layers', '0');
  extraArgs.push(
    ...optionsWithoutField(
      speculativeDecoding === undefined ? launch : withoutOptions(launch, 'specTypes', 'draft', 'draftMax'),
    ),
  );
  return { fields, extraArgs };
}

/**
 * `hardware.gpu.layers`: the operator passes -1 on as 99, so more are named; the agent on a Mac passes -1 on as it is,
 * which llama-server reads as "what fits", so there the number that was checked is always named.
 */
export function gpuLayersField(launch: LaunchOptions, resolved: ResolvedLaunch | undefined): number {
  if (launch.gpuLayers !== undefined && launch.gpuLayers >= 0) return launch.gpuLayers;
  if (launch.accelerator === 'metal') return resolved?.gpuLayers ?? EVERY_LAYER;
  return resolved !== undefined && resolved.gpuLayers > DEFAULT_GPU_LAYERS ? resolved.gpuLayers : -1;
}

/** The Metal agent serves 2048 tokens when the service names none, so the context that was checked is always named. */
function contextFields(launch: LaunchOptions, resolved: ResolvedLaunch | undefined, extraArgs: string[]): LaunchFields {
  const asked = launch.ctxSize === 0 ? undefined : launch.ctxSize;
  const contextSize = asked ?? resolved?.nCtx;
  if (contextSize === undefined) return {};
  const { min, max } = API_BOUNDS.contextSize;
  if (asked === undefined && (contextSize < min || contextSize > max)) {
    extraArgs.push('--ctx-size', String(contextSize));
    return {};
  }
  return { contextSize };
}

/** The Metal agent leaves `--parallel 1` out, which llama-server reads as four slots. */
function slotFields(launch: LaunchOptions, extraArgs: string[]): LaunchFields {
  if (launch.parallel === undefined) return {};
  if (launch.accelerator === 'metal' && launch.parallel === 1) extraArgs.push('--parallel', '1');
  return { parallelSlots: launch.parallel };
}

/**
 * The Metal agent turns flash attention on unless the service says false; the operator passes only "on", and only with
 * a GPU. Neither can say "off" or "auto".
 */
function flashAttentionFields(
  launch: LaunchOptions,
  resolved: ResolvedLaunch | undefined,
  extraArgs: string[],
): LaunchFields {
  const agentDiffers = launch.accelerator === 'metal' && resolved?.flashAttn === false;
  const wanted = launch.flashAttn ?? (agentDiffers ? 'auto' : undefined);
  if (wanted === undefined) return {};
  if (wanted !== 'on' || launch.accelerator === 'cpu') extraArgs.push('--flash-attn', wanted);
  return wanted === 'auto' ? {} : { flashAttention: wanted === 'on' };
}

function cacheTypeFields(side: 'K' | 'V', type: CacheType | undefined): LaunchFields {
  if (type === undefined) return {};
  const inEnum = (ENUM_CACHE_TYPES as readonly string[]).includes(type);
  return { [inEnum ? `cacheType${side}` : `cacheTypeCustom${side}`]: type };
}

function expertFields(cpuMoeLayers: number | undefined): LaunchFields {
  if (cpuMoeLayers === undefined || cpuMoeLayers === 0) return {};
  return cpuMoeLayers === Infinity ? { moeCPUOffload: true } : { moeCPULayers: cpuMoeLayers };
}

/** As llama-server v0.5.0 spells them in `common/arg.cpp`. */
function optionsWithoutField(launch: LaunchOptions): string[] {
  const options: readonly (readonly string[] | false)[] = [
    launch.kvUnified !== undefined && [launch.kvUnified ? '--kv-unified' : '--no-kv-unified'],
    launch.swaFull === true && ['--swa-full'],
    launch.mmap === false && ['--load-mode', 'none'],
    launch.repack === false && ['--no-repack'],
    launch.opOffload === false && ['--no-op-offload'],
    launch.cacheRamMiB !== undefined && ['--cache-ram', String(launch.cacheRamMiB)],
    launch.mmprojOffload === false && ['--no-mmproj-offload'],
    launch.imageMinTokens !== undefined && ['--image-min-tokens', String(launch.imageMinTokens)],
    launch.imageMaxTokens !== undefined && ['--image-max-tokens', String(launch.imageMaxTokens)],
    launch.ctxCheckpoints !== undefined && ['--ctx-checkpoints', String(launch.ctxCheckpoints)],
  ];
  return [
    ...options.flatMap((option) => option || []),
    ...draftWords(launch),
    ...deviceWords(launch, launch.accelerator),
  ];
}
