import type { Accelerator } from '../../runtime/launch-options.js';
import { defaultAccelerator } from '../measure-host.js';
import { thisMachine, type Probe } from '../probe.js';
import { measureAmd } from './amd.js';
import { measureNvidia } from './nvidia.js';

/** What a llama-server of this machine would run on, and what says so; no GPU where none was found. */
export interface FoundAccelerator {
  readonly accelerator: Accelerator;
  readonly gpus: readonly string[];
  readonly by?: string;
  /** An NVIDIA GPU is there whose memory is not told. */
  readonly hasUnmeasured?: boolean;
}

/** There is where ROCm's kernel driver lists what it can run on. */
const ROCM_NODES = '/sys/class/kfd/kfd/topology/nodes';

/**
 * The accelerator of this machine: Metal on Apple silicon; on Linux CUDA where nvidia-smi tells the memory of every NVIDIA GPU, ROCm
 * or else Vulkan where amdgpu does of an AMD one with memory of its own; else the CPU. What cannot be measured is not chosen.
 */
export async function findAccelerator(probe: Probe = thisMachine): Promise<FoundAccelerator> {
  const accelerator = defaultAccelerator(probe);
  if (probe.platform !== 'linux') return { accelerator, gpus: [] };
  const nvidia = (await measureNvidia(probe))?.visible ?? [];
  const known = nvidia.filter((gpu) => gpu !== undefined);
  if (known.length > 0 && known.length === nvidia.length) {
    return { accelerator: 'cuda', gpus: known.map(({ name }) => name), by: 'nvidia-smi' };
  }
  const hasUnmeasured = nvidia.includes(undefined);
  const measured = (await measureAmd(probe)) ?? [];
  const amd = measured.filter((gpu) => gpu !== undefined).filter(({ sharesMemory }) => !sharesMemory);
  if (amd.length === 0 || measured.includes(undefined))
    return { accelerator, gpus: [], ...(hasUnmeasured && { hasUnmeasured }) };
  const hasRocm = ((await probe.list?.(ROCM_NODES)) ?? []).length > 0;
  return { accelerator: hasRocm ? 'rocm' : 'vulkan', gpus: amd.map(({ name }) => name), by: 'amdgpu' };
}

const NAME_IT = 'for the GPU name it with --accelerator cuda --gpu-memory';

/** As a note on a check; undefined where nothing was found that somebody might not expect. */
export function foundNote({ accelerator, gpus, by, hasUnmeasured = false }: FoundAccelerator): string | undefined {
  if (hasUnmeasured)
    return `nvidia-smi does not tell the memory of every GPU here, so the launch is for ${accelerator}: ${NAME_IT}`;
  if (by === undefined) return undefined;
  const counts = new Map<string, number>();
  for (const name of gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
  return `${names} found (${by}), so the launch is for ${accelerator}; --accelerator cpu counts without`;
}
