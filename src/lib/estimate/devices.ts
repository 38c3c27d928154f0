import { CheckIncompleteError, UsageError } from '../errors.js';
import { deviceName } from '../runtime/options/device-options.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import type { Device } from './ggml/device.js';
import { multiprocessorsOf } from './gpu-overhead.js';

/** The GPUs that a launch uses, in llama.cpp's order, and where each layer's share of them ends. */
export interface GpuPlan {
  /** Numbers of the machine's GPUs. */
  readonly used: readonly number[];
  /** For each used GPU the part of the offloaded layers, from the first on, that lies on it and those before it. */
  readonly splitPoints: readonly number[];
  /** Of each used GPU, where that matters to what its backend takes. */
  readonly multiprocessors: readonly number[];
}

/**
 * `llama_prepare_model_devices` (`src/llama.cpp`, llama.cpp v0.5.0), and the split points of `load_tensors`
 * (`src/llama-model.cpp`).
 * @throws UsageError where llama.cpp refuses the choice of GPUs.
 */
export function planGpus(launch: LaunchOptions): GpuPlan {
  const used = usedGpus(launch);
  const { accelerator, gpuMemory } = launch;
  return {
    used,
    splitPoints: splitPoints(used, launch),
    multiprocessors: accelerator === 'metal' ? [] : used.map((gpu) => multiprocessorsOf(gpuMemory?.[gpu])),
  };
}

/** `get_layer_buft_list` of `load_tensors`, in single precision as there. */
export function gpuOfLayer({ splitPoints }: GpuPlan, offloadedBefore: number, offloaded: number): Device {
  const position = Math.fround(offloadedBefore / offloaded);
  const gpu = splitPoints.findIndex((end) => end > position);
  return gpu < 0 ? 'cpu' : gpu;
}

/**
 * What `option` names must be there (`parse_device_list` in `common/arg.cpp`, llama.cpp v0.5.0), and once: of a GPU that is named twice
 * `llama_context` makes two backends with one allocator between them.
 * @throws UsageError LAUNCH_DEVICE
 * @throws CheckIncompleteError LAUNCH_DEVICE_TWICE
 */
export function refuseDevices(
  option: string,
  devices: readonly number[],
  { accelerator, gpuMemory }: Pick<LaunchOptions, 'accelerator' | 'gpuMemory'>,
): void {
  const missing = gpuMemory && devices.find((gpu) => gpu >= gpuMemory.length);
  if (missing !== undefined) {
    throw new UsageError(
      'LAUNCH_DEVICE',
      `llama.cpp refuses ${option} ${deviceName(accelerator, missing)}: the GPUs are numbered 0 to ${(gpuMemory?.length ?? 0) - 1}.`,
    );
  }
  const twice = devices.find((gpu, index) => devices.indexOf(gpu) < index);
  if (twice !== undefined) {
    throw new CheckIncompleteError(
      'LAUNCH_DEVICE_TWICE',
      `What llama.cpp allocates where ${option} names ${deviceName(accelerator, twice)} twice is not described here; name each once, and give its share with --tensor-split.`,
    );
  }
}

function usedGpus(launch: LaunchOptions): number[] {
  const { accelerator, gpus = 1, devices, splitMode = 'layer', mainGpu = 0 } = launch;
  if (accelerator === 'cpu') return [];
  if (devices !== undefined) refuseDevices('--device', devices, launch);
  const present = devices ?? Array.from({ length: accelerator === 'metal' ? 1 : gpus }, (_, gpu) => gpu);
  if (splitMode === 'row') {
    throw new UsageError(
      'LAUNCH_SPLIT_MODE',
      'llama.cpp refuses --split-mode row: its backends no longer split rows; use layer, or none for one GPU.',
    );
  }
  if (splitMode === 'tensor') {
    throw new CheckIncompleteError(
      'LAUNCH_SPLIT_MODE_TENSOR',
      'What --split-mode tensor allocates is not described here; use layer to have it checked.',
    );
  }
  if (splitMode === 'layer' || present.length === 0) return [...present];
  if (mainGpu < 0) return [];
  const main = present[mainGpu];
  if (main === undefined) {
    throw new UsageError(
      'LAUNCH_MAIN_GPU',
      `llama.cpp refuses --main-gpu ${mainGpu}: the GPUs are numbered 0 to ${present.length - 1}.`,
    );
  }
  return [main];
}

/** By `--tensor-split`, else by free memory; unknown free memory counts as equal. */
function splitPoints(used: readonly number[], { tensorSplit, gpuMemory }: LaunchOptions): number[] {
  const given = used.map((_, i) => tensorSplit?.[i] ?? 0);
  const shares = given.some((share) => share !== 0) ? given : used.map((gpu) => gpuMemory?.[gpu]?.freeBytes ?? 1);
  let sum = 0;
  const ends = shares.map((share) => (sum = Math.fround(sum + Math.fround(share))));
  return ends.map((end) => Math.fround(end / sum));
}
