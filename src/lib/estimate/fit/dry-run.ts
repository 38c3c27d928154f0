import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { estimateLaunch, type LaunchFiles } from '../estimate-launch.js';
import { planContext, type PlannedContext } from '../context/plan-context.js';
import { estimateMemory, estimateOf } from '../estimate-memory.js';
import { pad } from '../ggml/tensor.js';
import type { MemoryEstimate, PartName } from '../memory-estimate.js';

/** What `--fit` sees of one device, in bytes. */
export interface DeviceUse {
  readonly modelBytes: number;
  readonly totalBytes: number;
  /** What the dry run takes for real, so that the device has less to offer while it is asked. */
  readonly takenBytes: number;
}

/** What it sees of a launch: each GPU, or without one the host. */
export interface DryRun {
  readonly gpus: readonly DeviceUse[];
  readonly host: DeviceUse;
}

const MODEL: ReadonlySet<PartName> = new Set(['weights', 'weights-copy']);
export type ModelAndDraft = Pick<LaunchFiles, 'draft'> & { readonly model: ModelShape };

/** In llama.cpp's own breakdown (`llama_get_memory_breakdown`); outputs are not. */
const COUNTED: ReadonlySet<PartName> = new Set([...MODEL, 'kv-cache', 'recurrent-state', 'expert-cache', 'compute']);

/**
 * `common_get_device_memory_data` (`common/fit.cpp`, llama.cpp v0.5.0): the launch without a mapped file.
 * @param gpus numbers of the GPUs that the launch uses
 * @throws what `estimateMemory` throws
 */
export function dryRun(shape: ModelShape, launch: LaunchOptions, gpus: readonly number[]): DryRun {
  const unmapped = { ...launch, mmap: false };
  const context = planContext(shape, unmapped, { dryRun: true });
  const estimate = estimateOf(context, unmapped);
  const host = useOf(estimate, 'host');
  // Buffers of repacked weights are no host buffers in that breakdown and belong to no device either.
  const repacked = gpus.length === 0 ? repackedBytes(shape, launch) : 0;
  return {
    gpus: gpus.map((gpu, i) => ({ ...useOf(estimate, 'gpu', gpu), takenBytes: takenBytes(context, i) })),
    host: { ...host, modelBytes: host.modelBytes - repacked, totalBytes: host.totalBytes - repacked },
  };
}

/** What a driver gives an allocation of at least half of it in multiples of, and smaller ones. */
const LARGE_PAGE = 2 * 2 ** 20;
const SMALL_PAGE = 512;

/**
 * Up to a version, states are no less allocated in a dry run: `llama_memory_recurrent` (`src/llama-memory-recurrent.cpp`), `llama_dsv4_comp_state`
 * (`src/llama-kv-cache-dsv4.cpp`, llama.cpp v0.5.0).
 */
function takenBytes({ params, memory }: PlannedContext, device: number): number {
  if (params.llama.sizesStates) return 0;
  const { overlapping, blocks, indexer } = memory.compressed ?? {};
  const states = [overlapping, blocks, indexer].map((cache) => {
    const tensors = [...(cache?.state.layers.values() ?? [])].flatMap(({ keys, scores }) => [keys, scores]);
    return tensors.reduce((bytes, tensor) => bytes + (tensor.buffer.device === device ? tensor.bytes : 0), 0);
  });
  return [memory.recurrentBytes.gpus[device] ?? 0, ...states]
    .map((bytes) => pad(bytes, bytes >= LARGE_PAGE / 2 ? LARGE_PAGE : SMALL_PAGE))
    .reduce((sum, bytes) => sum + bytes);
}

/**
 * What a draft, or a draft head in the model's own file, takes beside: it is measured at every step at the same context
 * (`add_extra_memory` of `common/fit.cpp`), the head without its weights, which are the model's.
 */
export function withDraft(run: DryRun, files: ModelAndDraft, launch: LaunchOptions, gpus: readonly number[]): DryRun {
  if (files.draft === undefined && !launch.specTypes?.includes('draft-mtp')) return run;
  if (files.draft && needsTarget(files.draft)) return run;
  const { parts } = estimateLaunch(files, { ...launch, mmap: false });
  const extra = parts.filter(({ of, name }) => of === 'draft' || (of === 'mtp' && !MODEL.has(name)));
  return {
    gpus: run.gpus.map((use, i) => sumOf(use, useOf({ parts: extra }, 'gpu', gpus[i] as number))),
    host: sumOf(run.host, useOf({ parts: extra }, 'host')),
  };
}

/** Drafts that the constructor of `llama_context` refuses without their target's, so that they are fitted without. */
function needsTarget({ architecture, tensors }: ModelShape): boolean {
  if (architecture === 'gemma4-assistant') return true;
  const borrows = !tensors.has('token_embd.weight') || !tensors.has('output.weight');
  return borrows && (architecture === 'eagle3' || architecture === 'dflash');
}

function sumOf(a: DeviceUse, b: DeviceUse): DeviceUse {
  return { ...a, modelBytes: a.modelBytes + b.modelBytes, totalBytes: a.totalBytes + b.totalBytes };
}

function useOf({ parts }: Pick<MemoryEstimate, 'parts'>, device: 'gpu' | 'host', gpu = 0): DeviceUse {
  const own = parts.filter((part) => part.device === device && COUNTED.has(part.name) && (part.gpu ?? 0) === gpu);
  const sum = (bytes: number, part: { readonly bytes: number }): number => bytes + part.bytes;
  return {
    modelBytes: own.filter((part) => MODEL.has(part.name)).reduce(sum, 0),
    totalBytes: own.reduce(sum, 0),
    takenBytes: 0,
  };
}

/** With a mapped file only what is repacked is copied. */
function repackedBytes(shape: ModelShape, launch: LaunchOptions): number {
  const { parts } = estimateMemory(shape, { ...launch, mmap: true });
  return parts.filter((part) => part.name === 'weights-copy').reduce((bytes, part) => bytes + part.bytes, 0);
}
