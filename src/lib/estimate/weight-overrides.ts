import { CheckIncompleteError, UsageError } from '../errors.js';
import { overridesOf } from '../runtime/device-options.js';
import type { Accelerator, LaunchOptions } from '../runtime/launch-options.js';
import type { GpuPlan } from './devices.js';
import type { Device } from './ggml/device.js';

/** Weights whose name fits go to a device, and there to its own buffer. */
export interface WeightOverride {
  readonly pattern: RegExp;
  readonly device: Device;
}

/** What buffers are called before their number: `ggml_backend_buft_name` of each backend (llama.cpp v0.5.0). */
const BUFFER_NAMES: Readonly<Record<Accelerator, readonly string[]>> = {
  cuda: ['CUDA'],
  rocm: ['ROCm'],
  vulkan: ['Vulkan'],
  intel: ['SYCL'],
  metal: ['MTL'],
  cpu: [],
};

/**
 * `check overrides` in `create_tensor` (`src/llama-model-loader.cpp`, llama.cpp v0.5.0), in the order in which they are tried.
 * @throws UsageError for a buffer that llama.cpp would not know
 */
export function weightOverrides(launch: LaunchOptions, gpus: GpuPlan): readonly WeightOverride[] {
  return overridesOf(launch).map(({ pattern, buffer }) => ({
    pattern: new RegExp(pattern),
    device: deviceNamed(buffer, launch, gpus),
  }));
}

function deviceNamed(buffer: string, { accelerator, gpus = 1 }: LaunchOptions, { used }: GpuPlan): Device {
  if (buffer === 'CPU') return 'cpu';
  const [, name = '', number = ''] = /^([A-Za-z]+)(\d+)$/.exec(buffer) ?? [];
  if (!BUFFER_NAMES[accelerator].includes(name) || Number(number) >= gpus) {
    const known = [
      'CPU',
      ...BUFFER_NAMES[accelerator].flatMap((one) => Array.from({ length: gpus }, (_, i) => one + i)),
    ];
    throw new UsageError(
      'LAUNCH_OVERRIDE_BUFFER',
      `llama.cpp would not know the buffer ${JSON.stringify(buffer)} of --override-tensor; here it has ${known.join(', ')}.`,
    );
  }
  const device = used.indexOf(Number(number));
  if (device >= 0) return device;
  throw new CheckIncompleteError(
    'LAUNCH_OVERRIDE_UNUSED_GPU',
    `What --override-tensor puts on ${buffer}, which the launch does not use otherwise, is not described here; use it, or another buffer.`,
  );
}
