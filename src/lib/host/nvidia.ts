import type { HostMemory } from './host-memory.js';
import type { RunCommand } from './probe.js';

const MIB = 2 ** 20;
const QUERY = ['--query-gpu=memory.total,memory.used', '--format=csv,noheader,nounits'];

/** The first NVIDIA GPU's memory according to `nvidia-smi`, or undefined when there is none. */
export async function measureNvidia(
  run: RunCommand,
): Promise<(HostMemory['gpuMemory'] & { readonly gpus: number }) | undefined> {
  const lines = (await run('nvidia-smi', QUERY))?.trim().split('\n') ?? [];
  const [total, used] = (lines[0] ?? '').split(',').map((cell) => Number(cell.trim() || Number.NaN));
  if (total === undefined || used === undefined || !Number.isFinite(total + used)) return undefined;
  return { totalBytes: total * MIB, inUseBytes: used * MIB, gpus: lines.length };
}
