import type { HostMemory } from '../../host/host-memory.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { isDiscrete } from './judge.js';

/** A launch as llama-server finds it on a machine: its GPUs, what is free on each, and whether they share the memory. */
export function onMachine(launch: LaunchOptions, { gpus, unifiedMemory }: HostMemory): LaunchOptions {
  if (!isDiscrete(launch.accelerator)) return launch;
  const gpuMemory = gpus?.map(({ totalBytes, usedBytes }) => ({ totalBytes, freeBytes: totalBytes - usedBytes }));
  return {
    ...(gpuMemory && { gpus: gpuMemory.length, gpuMemory }),
    ...(unifiedMemory && { unifiedMemory }),
    ...launch,
  };
}
