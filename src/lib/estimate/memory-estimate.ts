import type { CacheType } from '../runtime/launch-options.js';

/**
 * `weights`: file-backed mapping, each mapped byte of the file counted once; `weights-unread`: file-backed pages that nothing
 * reads once the model is loaded, which the system drops before anything else; `weights-copy`: anonymous copies (no mmap, CPU
 * repack, discrete GPUs). The rest as llama.cpp's own log lines name them; `runtime-overhead` is this project's
 * baseline for process, Metal library and pipelines, and for what a GPU holds beside buffers.
 */
export type PartName =
  | 'weights'
  | 'weights-unread'
  | 'weights-copy'
  | 'kv-cache'
  | 'recurrent-state'
  | 'expert-cache'
  | 'compute'
  | 'output'
  | 'runtime-overhead'
  | 'loading';

/** Whose memory it is; `mtp`: a draft head in the model's own file. */
export type PartOwner = 'model' | 'projector' | 'draft' | 'mtp' | 'adapter';

/** exact: llama.cpp's own byte count; modelled: the right mechanism on a backend not measured; bound: not below truth. */
export type Accuracy = 'exact' | 'modelled' | 'bound';

export interface EstimatePart {
  readonly name: PartName;
  readonly of: PartOwner;
  readonly device: 'gpu' | 'host';
  /** Its number, where there are several. */
  readonly gpu?: number;
  readonly bytes: number;
  readonly accuracy: Accuracy;
}

/** What use can still add after start-up, up to `maxBytes`. */
export interface GrowthPart {
  /** `compute` and `output`: buffers that are replaced by larger ones, by the difference. */
  readonly name: 'prompt-cache' | 'context-checkpoints' | 'compute' | 'output';
  readonly of: PartOwner;
  readonly device: 'gpu' | 'host';
  /** Its number, where there are several. */
  readonly gpu?: number;
  readonly maxBytes: number;
}

/** What llama.cpp made of the launch options for this model. */
export interface ResolvedLaunch {
  /** The llama.cpp that the figures are for: `v0.8.0`, `b11434`. */
  readonly llamaCpp: string;
  /** Total context after padding (`n_ctx`). */
  readonly nCtx: number;
  /** Context of one slot (`n_ctx_seq`). */
  readonly nCtxSeq: number;
  readonly slots: number;
  readonly kvUnified: boolean;
  readonly flashAttn: boolean;
  readonly nBatch: number;
  readonly nUbatch: number;
  readonly nOutputsMax: number;
  readonly cacheTypeK: CacheType;
  readonly cacheTypeV: CacheType;
  /** Layers on the GPU, the output head counted as one. */
  readonly gpuLayers: number;
}

export interface MemoryEstimate {
  readonly parts: readonly EstimatePart[];
  /** What is loaded and freed again before the server answers, and must find room until then: `loading`. */
  readonly transient?: readonly EstimatePart[];
  readonly growth: readonly GrowthPart[];
  readonly resolved: ResolvedLaunch;
  /** Sentences a person should know: a bound instead of an exact figure, an option that was ignored. */
  readonly notes: readonly string[];
}

/** What a file beside the model adds. */
export type Addition = Pick<MemoryEstimate, 'parts' | 'growth' | 'notes'>;

/** An estimate with more in it. */
export function withAdditions<T extends Addition>(estimate: T, additions: readonly Addition[]): T {
  return {
    ...estimate,
    parts: [...estimate.parts, ...additions.flatMap(({ parts }) => parts)],
    growth: [...estimate.growth, ...additions.flatMap(({ growth }) => growth)],
    notes: [...estimate.notes, ...additions.flatMap(({ notes }) => notes)],
  };
}

/** What holds memory. */
type Held = Pick<MemoryEstimate, 'parts' | 'transient'>;

/** The parts that must stay in memory: all but the pages that nothing reads again. */
export function neededParts({ parts, transient = [] }: Held): readonly EstimatePart[] {
  return [...parts.filter(({ name }) => name !== 'weights-unread'), ...transient];
}

/** Sum of the parts that must stay in memory, optionally only those on one device, or on one GPU, in bytes. */
export function totalBytes(estimate: Held, device?: EstimatePart['device'], gpu?: number): number {
  return neededParts(estimate)
    .filter((part) => device === undefined || part.device === device)
    .filter((part) => gpu === undefined || gpuOf(part) === gpu)
    .reduce((sum, part) => sum + part.bytes, 0);
}

/** The GPU's number; the only one is 0. */
export function gpuOf({ gpu = 0 }: Pick<EstimatePart, 'gpu'>): number {
  return gpu;
}
