import { CheckIncompleteError, UsageError } from '../../errors.js';
import { deviceName, overridesOf } from '../../runtime/options/device-options.js';
import { type NamePattern, namePattern } from '../../runtime/names/name-pattern.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import type { GpuPlan } from '../devices.js';
import type { Device } from '../ggml/device.js';

/** Weights whose name fits go to a device, and there to its own buffer. */
export interface WeightOverride {
  readonly pattern: NamePattern;
  readonly device: Device;
}

/**
 * `check overrides` in `create_tensor` (`src/llama-model-loader.cpp`, llama.cpp v0.5.0), in the order in which they are tried.
 * @throws UsageError for a buffer that llama.cpp would not know
 */
export function weightOverrides(launch: LaunchOptions, gpus: GpuPlan): readonly WeightOverride[] {
  return overridesOf(launch).map(({ pattern, buffer }) => ({
    pattern: namePattern(pattern),
    device: deviceNamed(buffer, launch, gpus),
  }));
}

function deviceNamed(buffer: string, { accelerator, gpus = 1 }: LaunchOptions, { used }: GpuPlan): Device {
  if (buffer === 'CPU') return 'cpu';
  // A GPU's own buffer is called like the device.
  const names = accelerator === 'cpu' ? [] : Array.from({ length: gpus }, (_, gpu) => deviceName(accelerator, gpu));
  const gpu = names.indexOf(buffer);
  if (gpu < 0) {
    const known = ['CPU', ...names];
    throw new UsageError(
      'LAUNCH_OVERRIDE_BUFFER',
      `llama.cpp would not know the buffer ${JSON.stringify(buffer)} of --override-tensor; here it has ${known.join(', ')}.`,
    );
  }
  const device = used.indexOf(gpu);
  if (device >= 0) return device;
  throw new CheckIncompleteError(
    'LAUNCH_OVERRIDE_UNUSED_GPU',
    `What --override-tensor puts on ${buffer}, which the launch does not use otherwise, is not described here; use it, or another buffer.`,
  );
}
