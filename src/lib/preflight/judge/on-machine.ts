import { driverContextBytes } from '../../estimate/gpu-overhead.js';
import type { Gpu, HostMemory } from '../../host/host-memory.js';
import type { Accelerator, GpuMemory, LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from './judge.js';

/** What llama-server is told of a GPU, once the driver has taken its own. */
export function seenMemory(accelerator: Accelerator, { totalBytes, usedBytes }: Gpu): GpuMemory {
  const freeBytes = totalBytes - usedBytes;
  return { totalBytes, freeBytes: Math.max(0, freeBytes - driverContextBytes(accelerator, { totalBytes, freeBytes })) };
}

/** A launch as llama-server finds it on a machine: its GPUs, what is free on each, and whether they share the memory. */
export function onMachine(launch: LaunchOptions, { gpus, unifiedMemory }: HostMemory): LaunchOptions {
  if (!isDiscrete(launch.accelerator)) return launch;
  const gpuMemory = gpus?.map((gpu) => seenMemory(launch.accelerator, gpu));
  return {
    ...(gpuMemory && { gpus: gpuMemory.length, gpuMemory }),
    ...(unifiedMemory && { unifiedMemory }),
    ...launch,
  };
}
