import type { Accelerator } from '../../runtime/launch-options.js';
import { defaultAccelerator } from '../measure-host.js';
import { thisMachine, type Probe } from '../probe.js';
import { measureAmd } from './amd.js';
import { measureNvidia, untoldNvidia } from './nvidia.js';

/** What a llama-server of this machine would run on, and what says so; no GPU where none was found. */
export interface FoundAccelerator {
  readonly accelerator: Accelerator;
  readonly gpus: readonly string[];
  readonly by?: string;
  /** That a GPU is or may be there of which not enough is told to run on it, as a sentence. */
  readonly unmeasured?: string;
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
  const nvidia = await measureNvidia(probe);
  const listed = nvidia?.visible ?? [];
  const known = listed.filter((gpu) => gpu !== undefined);
  if (known.length > 0 && known.length === listed.length) {
    return { accelerator: 'cuda', gpus: known.map(({ name }) => name), by: 'nvidia-smi' };
  }
  const measured = (await measureAmd(probe)) ?? [];
  const amd = measured.filter((gpu) => gpu !== undefined).filter(({ sharesMemory }) => !sharesMemory);
  const untold = nvidia === undefined ? await untoldNvidia(probe) : undefined;
  const unmeasured = listed.includes(undefined)
    ? 'nvidia-smi does not tell the memory of every GPU here'
    : (untold ?? (measured.includes(undefined) ? 'amdgpu does not tell the memory of every GPU here' : undefined));
  const left = unmeasured === undefined ? {} : { unmeasured };
  if (amd.length === 0 || measured.includes(undefined)) return { accelerator, gpus: [], ...left };
  const hasRocm = ((await probe.list?.(ROCM_NODES)) ?? []).length > 0;
  return { accelerator: hasRocm ? 'rocm' : 'vulkan', gpus: amd.map(({ name }) => name), by: 'amdgpu', ...left };
}

const NAME_IT = 'for a GPU name it with --accelerator and --gpu-memory';

/** As a note on a check; undefined where nothing was found that somebody might not expect. */
export function foundNote({ accelerator, gpus, by, unmeasured }: FoundAccelerator): string | undefined {
  if (by === undefined) return unmeasured && `${unmeasured}, so the launch is for ${accelerator}: ${NAME_IT}`;
  const counts = new Map<string, number>();
  for (const name of gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
  const beside = unmeasured === undefined ? '' : `; ${unmeasured}`;
  return `${names} found (${by}), so the launch is for ${accelerator}; --accelerator cpu counts without${beside}`;
}
