import { UsageError } from '../../errors.js';

interface GpuFlags {
  readonly 'gpu-count'?: number | undefined;
  readonly gpus?: number | undefined;
  readonly 'gpu-memory'?: readonly number[] | undefined;
}

/**
 * How many GPUs a pod asks for, which are those that it was checked for: one where no flag says.
 * @throws UsageError CONTRADICTION where flags say different numbers
 */
export function podGpus({ 'gpu-count': asked, gpus, 'gpu-memory': memory = [] }: GpuFlags): number {
  const said = [
    ['--gpu-count', asked],
    ['--gpus', gpus],
    ['the amounts of --gpu-memory', memory.length > 1 ? memory.length : undefined],
  ] as const;
  const [first, ...others] = said.filter(([, count]) => count !== undefined);
  for (const [flag, count] of others) {
    if (count === first?.[1]) continue;
    throw new UsageError('CONTRADICTION', `${first?.[0]} says ${first?.[1]} GPUs and ${flag} ${count}`, {
      suggestions: [`leave one of them out: what is checked is what a pod asks for`],
    });
  }
  return first?.[1] ?? 1;
}
