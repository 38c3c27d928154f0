import type { Switches } from '../runtime/llama-cpp.js';
import type { Accelerator } from '../runtime/launch-options.js';
import type { Backend } from './ggml/backend.js';
import { blasBackend, cpuBackend } from './ggml/cpu/backends.js';
import { cudaBackend } from './ggml/cuda/backend.js';
import { metalBackend } from './ggml/metal/backend.js';

/** What llama.cpp is built with for an accelerator. */
interface AcceleratorBackends {
  /** The backend of the GPU with this place in llama.cpp's list of devices. */
  readonly gpu: (device: number, llama: Switches) => Backend;
  /** The GPU uses weights where the file is mapped; others copy them: `buffer_from_host_ptr`. */
  readonly mapsWeights: boolean;
  /** It has host buffers of its own, which weights on the CPU go to before they would be repacked: `host_buffer`. */
  readonly hostBuffers: boolean;
  /** Backends between GPU and CPU. Macs have Accelerate. */
  readonly others: readonly Backend[];
}

const CUDA_LIKE: AcceleratorBackends = { gpu: cudaBackend, mapsWeights: false, hostBuffers: true, others: [] };

/** ROCm is CUDA's source compiled for AMD. Vulkan and SYCL plan over the same graphs; CUDA's rules stand in for theirs. */
export const GPU_BACKENDS: Readonly<Record<Exclude<Accelerator, 'cpu'>, AcceleratorBackends>> = {
  metal: { gpu: (_, llama) => metalBackend(llama), mapsWeights: true, hostBuffers: false, others: [blasBackend] },
  cuda: CUDA_LIKE,
  rocm: CUDA_LIKE,
  vulkan: CUDA_LIKE,
  intel: CUDA_LIKE,
};

/** In order of priority, the CPU last. */
export function backendsFor(accelerator: Accelerator, gpus: number, llama: Switches): readonly Backend[] {
  if (accelerator === 'cpu') return [cpuBackend];
  const { gpu, others } = GPU_BACKENDS[accelerator];
  return [...Array.from({ length: gpus }, (_, device) => gpu(device, llama)), ...others, cpuBackend];
}
