import type { Switches } from '../runtime/llama-cpp.js';
import type { Accelerator } from '../runtime/launch-options.js';
import type { GpuPlan } from './devices.js';
import type { Backend, Scratch } from './ggml/backend.js';
import { blasBackend, cpuBackend } from './ggml/cpu/cpu-and-blas.js';
import { cudaBackend } from './ggml/cuda/backend.js';
import { metalBackend } from './ggml/metal/backend.js';
import { cpuBesideVulkan, vulkanBackend } from './ggml/vulkan/backend.js';

/** What llama.cpp is built with for an accelerator. */
interface AcceleratorBackends {
  /** The backend of the GPU with this place in llama.cpp's list of devices. */
  readonly gpu: (device: number, llama: Switches, multiprocessors: number) => Backend;
  /** The GPU uses weights where the file is mapped; others copy them: `buffer_from_host_ptr`. */
  readonly mapsWeights: boolean;
  /** It has host buffers of its own, which weights on the CPU go to before they would be repacked: `host_buffer`. */
  readonly hostBuffers: boolean;
  /** Backends behind the GPU, the CPU last. Macs have Accelerate. */
  readonly others: readonly Backend[];
}

const CUDA_LIKE: AcceleratorBackends = {
  gpu: cudaBackend,
  mapsWeights: false,
  hostBuffers: true,
  others: [cpuBackend],
};

const UNKNOWN: Scratch = { pool: 0, library: 0 };

/**
 * SYCL (`ggml/src/ggml-sycl/ggml-sycl.cpp`, llama.cpp v0.5.0) sizes its buffers as CUDA does and optimises no graphs; for which ops it
 * supports CUDA's rules stand in. What it takes beside buffers is not known.
 */
function syclBackend(device: number, llama: Switches, multiprocessors: number): Backend {
  return { ...cudaBackend(device, llama, multiprocessors), optimize: () => undefined, scratch: () => UNKNOWN };
}

/** ROCm is CUDA's source compiled for AMD. */
export const GPU_BACKENDS: Readonly<Record<Exclude<Accelerator, 'cpu'>, AcceleratorBackends>> = {
  metal: {
    gpu: (_, llama) => metalBackend(llama),
    mapsWeights: true,
    hostBuffers: false,
    others: [blasBackend, cpuBackend],
  },
  cuda: CUDA_LIKE,
  rocm: CUDA_LIKE,
  vulkan: { gpu: vulkanBackend, mapsWeights: false, hostBuffers: true, others: [cpuBesideVulkan] },
  intel: { ...CUDA_LIKE, gpu: syclBackend },
};

/** In order of priority, the CPU last. */
export function backendsFor(
  accelerator: Accelerator,
  { used, multiprocessors }: GpuPlan,
  llama: Switches,
): readonly Backend[] {
  if (accelerator === 'cpu') return [cpuBackend];
  const { gpu, others } = GPU_BACKENDS[accelerator];
  return [...used.map((_, device) => gpu(device, llama, multiprocessors[device] ?? 0)), ...others];
}
