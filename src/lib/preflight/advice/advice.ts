import type { ModelShape } from '../../model/model-shape.js';
import { type Accelerator, type CacheType, type LaunchOptions, withoutOptions } from '../../runtime/launch-options.js';
import type { CompletedVerdict } from '../judge/verdict.js';

/** Below this, in bits per weight, quantizations answer too badly to be proposed. */
export const LEAST_PROPOSED_BITS = 2.4;

/** Something to do about a refusal; amounts are bytes. */
export type Change =
  /** `isNamed`: by an option, which is to be left out then. */
  | { readonly kind: 'projector'; readonly isNamed: boolean }
  | { readonly kind: 'projector-on-cpu' }
  | { readonly kind: 'draft-tokens'; readonly tokens: number }
  | { readonly kind: 'draft-cache-type'; readonly type: CacheType }
  | { readonly kind: 'draft-quantization'; readonly variant: DraftVariant }
  | { readonly kind: 'draft-on-cpu' }
  /** `types` are those of `--spec-type` that stay. */
  | { readonly kind: 'no-draft'; readonly types: readonly string[]; readonly isNamed: boolean }
  | { readonly kind: 'slots'; readonly slots: number }
  | { readonly kind: 'ubatch'; readonly tokens: number }
  | { readonly kind: 'cache-type'; readonly type: CacheType }
  | { readonly kind: 'context'; readonly tokens: number }
  | { readonly kind: 'quantization'; readonly variant: ModelVariant }
  | { readonly kind: 'prompt-cache'; readonly mebibytes: number }
  /** `count` for each slot. */
  | { readonly kind: 'checkpoints'; readonly count: number }
  | { readonly kind: 'image-tokens'; readonly tokens: number }
  | { readonly kind: 'load'; readonly mmap?: false; readonly repack?: false }
  /** Of the layers, for each GPU, the output head counted as one. */
  | { readonly kind: 'tensor-split'; readonly shares: readonly number[] }
  /** Of several GPUs only these, by the machine's numbers. */
  | { readonly kind: 'devices'; readonly devices: readonly number[]; readonly accelerator: Accelerator }
  /** Nothing at all on a GPU. */
  | { readonly kind: 'no-gpu' }
  | { readonly kind: 'gpu-layers'; readonly layers: number; readonly of: number }
  /** `isFewer`: than were asked for, which only leaving options out does, for they add up. */
  | { readonly kind: 'cpu-experts'; readonly layers: number; readonly isFewer?: true }
  | { readonly kind: 'free-memory'; readonly freeBytes: number; readonly inUseBytes: number }
  | { readonly kind: 'memory-fraction'; readonly fraction: number; readonly leftBytes: number }
  | { readonly kind: 'wired-limit'; readonly mebibytes: number; readonly leftBytes: number }
  | {
      readonly kind: 'machine';
      readonly gigabytes: number;
      readonly memory: 'mac' | 'system' | 'gpu' | 'budget';
      readonly inUseBytes?: number;
      /** What was found on this machine, where another takes its place: of one that is described it has to be said. */
      readonly found?: { readonly accelerator: Accelerator; readonly sharesMemory: boolean };
      /** Where another limit was said than that machine has by itself. */
      readonly wiredLimitBytes?: number;
      readonly gpus?: number;
    };

/** Changes that together make a launch fit, and the verdict of the same check that refused it. */
export interface Suggestion {
  readonly changes: readonly Change[];
  readonly verdict: CompletedVerdict;
}

/** Flags to add, each with its value as one text, and the source of another file that they name. */
export interface TypedChanges {
  readonly flags: readonly string[];
  /** Options to leave out, where they were typed. */
  readonly leaveOut?: readonly string[];
  readonly model?: string;
  /** By whoever administers the machine. */
  readonly runFirst?: string;
}

/** A suggestion and what to type for it. */
export type Advice = Suggestion &
  TypedChanges & {
    /** Tokens that the flags name because llama-server would choose them, and are no change. */
    readonly chosenContext?: number;
  };

/** The same model in another quantization. */
export interface ModelVariant {
  readonly quantization: string;
  readonly shape: ModelShape;
  /** False while `shape` is not what a check of this variant would find. */
  readonly isProven: boolean;
  /** Worked out by recipe rather than read from a file, which may not even exist. */
  readonly isEstimated: boolean;
  /** Its source, where --quantization does not lead to it, and what --file must say then. */
  readonly model?: string;
  readonly file?: string;
}

/** A smaller file of a launch's draft, its header read. */
export interface DraftVariant {
  readonly quantization: string;
  /** As `--spec-draft-model` takes it. */
  readonly source: string;
  readonly shape: ModelShape;
}

/** True when a figure rests on a recipe rather than on the header that would be loaded. */
export function isEstimated({ changes }: Suggestion): boolean {
  return changes.some((change) => change.kind === 'quantization' && change.variant.isEstimated);
}

/** A launch with changes made; those of the model and of the machine leave it as it is. */
export function changedLaunch(launch: LaunchOptions, changes: readonly Change[]): LaunchOptions {
  return changes.reduce((before, change) => changedBy(before, change), launch);
}

function changedBy(launch: LaunchOptions, change: Change): LaunchOptions {
  if (change.kind === 'no-draft') {
    const rest = withoutOptions(launch, 'draft', 'specTypes');
    return change.types.length === 0 ? rest : { ...rest, specTypes: change.types };
  }
  if (change.kind === 'projector') return { ...withoutOptions(launch, 'mmproj'), mmprojAuto: false };
  return { ...launch, ...patchOf(change) };
}

function patchOf(change: Exclude<Change, { kind: 'no-draft' | 'projector' }>): Partial<LaunchOptions> {
  switch (change.kind) {
    case 'projector-on-cpu':
      return { mmprojOffload: false };
    case 'draft-cache-type':
      return { draftCacheTypeK: change.type, draftCacheTypeV: change.type };
    case 'draft-quantization':
      return { draft: change.variant.source };
    case 'draft-tokens':
      return { draftMax: change.tokens };
    case 'draft-on-cpu':
      return { draftGpuLayers: 0 };
    case 'slots':
      return { parallel: change.slots };
    case 'ubatch':
      return { ubatchSize: change.tokens };
    case 'cache-type':
      return { cacheTypeK: change.type, cacheTypeV: change.type };
    case 'context':
      return { ctxSize: change.tokens };
    case 'prompt-cache':
      return { cacheRamMiB: change.mebibytes };
    case 'checkpoints':
      return { ctxCheckpoints: change.count };
    case 'image-tokens':
      return { imageMaxTokens: change.tokens };
    case 'load':
      return { ...(change.mmap === false && { mmap: false }), ...(change.repack === false && { repack: false }) };
    case 'tensor-split':
      return { tensorSplit: change.shares };
    case 'devices':
      return { devices: change.devices };
    case 'no-gpu':
      return { devices: [] };
    case 'gpu-layers':
      return { gpuLayers: change.layers };
    case 'cpu-experts':
      return { cpuMoeLayers: change.layers };
    case 'quantization':
    case 'free-memory':
    case 'memory-fraction':
    case 'wired-limit':
    case 'machine':
      return {};
  }
}
