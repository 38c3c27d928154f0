import { llamaCpp } from '../runtime/llama-cpp.js';
import type { Accelerator, LaunchOptions } from '../runtime/launch-options.js';
import type { GpuPlan } from './devices.js';
import type { DeviceBytes } from './ggml/device.js';
import { graphError } from './ggml/graph-error.js';
import { gpuOverheadBytes } from './gpu-overhead.js';
import type { Accuracy, EstimatePart, PartName, PartOwner } from './memory-estimate.js';
import type { Placement } from './weights/placement.js';

/** Backends whose figures were held against llama.cpp's own allocator, in every measured version or in v0.5.0 alone. */
const MEASURED: Readonly<Partial<Record<Accelerator, 'all' | 'v0.5.0'>>> = { metal: 'all', cpu: 'all', cuda: 'v0.5.0' };

/** v0.5.0. */
const MEASURED_BESIDE = 11222;

/** Process, Metal library and pipelines, allocator slack: what llama-server takes beside its buffers. */
const RUNTIME_OVERHEAD: EstimatePart = {
  name: 'runtime-overhead',
  of: 'model',
  device: 'host',
  bytes: 500 * 2 ** 20,
  accuracy: 'modelled',
};

/** What parts of one kind have in common. */
interface PartKind {
  readonly name: PartName;
  readonly of: PartOwner;
  readonly accuracy: Accuracy;
}

export function accuracyOn({ accelerator, llamaCpp: version }: LaunchOptions): Accuracy {
  const { settled, build } = llamaCpp(version);
  const versions = MEASURED[accelerator];
  const measured = versions === 'all' || (versions === 'v0.5.0' && build.from === MEASURED_BESIDE);
  return measured && settled ? 'exact' : 'modelled';
}

/** Drafts and adapters were held against one version of llama.cpp, on Metal and the CPU. */
export function accuracyBeside({ accelerator, llamaCpp: version }: LaunchOptions): Accuracy {
  const measured = llamaCpp(version).build.from === MEASURED_BESIDE && accelerator !== 'cuda';
  return measured ? accuracyOn({ accelerator, ...(version !== undefined && { llamaCpp: version }) }) : 'modelled';
}

/**
 * The process's own, and what each GPU with memory of its own needs beside its buffers.
 * @param scratch bytes on each GPU
 */
export function overheadParts(
  { gpus }: Placement,
  { accelerator, gpuMemory }: LaunchOptions,
  scratch: readonly number[] = [],
): EstimatePart[] {
  if (accelerator === 'metal') return [RUNTIME_OVERHEAD];
  const onGpus = gpus.used.map((gpu, i) => gpuOverheadBytes(accelerator, gpuMemory?.[gpu]) + (scratch[i] ?? 0));
  const kind: PartKind = { name: 'runtime-overhead', of: 'model', accuracy: 'modelled' };
  return [...partsOf(kind, { gpus: onGpus, cpu: 0 }, gpus), RUNTIME_OVERHEAD];
}

export function weightParts(placement: Placement, of: PartOwner, accuracy: Accuracy): EstimatePart[] {
  const { mapped, unread, copied } = placement.bytes();
  const { gpus } = placement;
  return [
    ...partsOf({ name: 'weights', of, accuracy }, mapped, gpus),
    ...partsOf({ name: 'weights-unread', of, accuracy }, { gpus: [], cpu: unread }, gpus),
    ...partsOf({ name: 'weights-copy', of, accuracy }, copied, gpus),
  ];
}

/** One part for each device that holds something; GPUs by the machine's numbers where it has several. */
export function partsOf(
  { name, of, accuracy }: PartKind,
  { gpus, cpu }: DeviceBytes,
  { used }: GpuPlan,
): EstimatePart[] {
  const parts: EstimatePart[] = [];
  for (const bytes of [...gpus, cpu]) {
    if (!(bytes >= 0 && bytes < Infinity)) throw graphError(`${name} of ${bytes} bytes`);
  }
  const several = used.length > 1 || (used[0] ?? 0) > 0;
  gpus.forEach((bytes, i) => {
    const gpu = several ? { gpu: used[i] as number } : {};
    if (bytes > 0) parts.push({ name, of, device: 'gpu', ...gpu, bytes, accuracy });
  });
  if (cpu > 0) parts.push({ name, of, device: 'host', bytes: cpu, accuracy });
  return parts;
}
