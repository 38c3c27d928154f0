import type { ModelShape } from '../../model/model-shape.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
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
/** In llama.cpp's own breakdown (`llama_get_memory_breakdown`); outputs are not. */
const COUNTED: ReadonlySet<PartName> = new Set([...MODEL, 'kv-cache', 'recurrent-state', 'compute']);

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
