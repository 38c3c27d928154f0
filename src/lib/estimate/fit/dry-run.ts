import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { estimateLaunch, type LaunchFiles } from '../estimate-launch.js';
import { estimateMemory } from '../estimate-memory.js';
import type { MemoryEstimate, PartName } from '../memory-estimate.js';

/** What `--fit` sees of one device, in bytes. */
export interface DeviceUse {
  readonly modelBytes: number;
  readonly totalBytes: number;
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
 * @param gpus how many GPUs the launch uses
 * @throws what `estimateMemory` throws
 */
export function dryRun(shape: ModelShape, launch: LaunchOptions, gpus: number): DryRun {
  const estimate = estimateMemory(shape, { ...launch, mmap: false }, { dryRun: true });
  const host = useOf(estimate, 'host');
  // Buffers of repacked weights are no host buffers in that breakdown and belong to no device either.
  const repacked = gpus === 0 ? repackedBytes(shape, launch) : 0;
  return {
    gpus: Array.from({ length: gpus }, (_, gpu) => useOf(estimate, 'gpu', gpu)),
    host: { modelBytes: host.modelBytes - repacked, totalBytes: host.totalBytes - repacked },
  };
}

/**
 * What a draft, or a draft head in the model's own file, takes beside: it is measured at every step at the same context
 * (`add_extra_memory` of `common/fit.cpp`), the head without its weights, which are the model's.
 */
export function withDraft(run: DryRun, files: ModelAndDraft, launch: LaunchOptions): DryRun {
  if (files.draft === undefined && !launch.specTypes?.includes('draft-mtp')) return run;
  const { parts } = estimateLaunch(files, { ...launch, mmap: false });
  const extra = parts.filter(({ of, name }) => of === 'draft' || (of === 'mtp' && !MODEL.has(name)));
  return {
    gpus: run.gpus.map((use, gpu) => sumOf(use, useOf({ parts: extra }, 'gpu', gpu))),
    host: sumOf(run.host, useOf({ parts: extra }, 'host')),
  };
}

function sumOf(a: DeviceUse, b: DeviceUse): DeviceUse {
  return { modelBytes: a.modelBytes + b.modelBytes, totalBytes: a.totalBytes + b.totalBytes };
}

function useOf({ parts }: Pick<MemoryEstimate, 'parts'>, device: 'gpu' | 'host', gpu = 0): DeviceUse {
  const own = parts.filter((part) => part.device === device && COUNTED.has(part.name) && (part.gpu ?? 0) === gpu);
  const sum = (bytes: number, part: { readonly bytes: number }): number => bytes + part.bytes;
  return {
    modelBytes: own.filter((part) => MODEL.has(part.name)).reduce(sum, 0),
    totalBytes: own.reduce(sum, 0),
  };
}

/** With a mapped file only what is repacked is copied. */
function repackedBytes(shape: ModelShape, launch: LaunchOptions): number {
  const { parts } = estimateMemory(shape, { ...launch, mmap: true });
  return parts.filter((part) => part.name === 'weights-copy').reduce((bytes, part) => bytes + part.bytes, 0);
}
