import type { EstimatePart } from '../../estimate/memory-estimate.js';
import { areApart, type LimitCheck } from '../../preflight/judge/verdict.js';
import { formatCompared } from './bytes.js';

/** `memory`, `GPU`, or `GPU 1` where there are several. */
export function limitLabel({ name, gpu }: Pick<LimitCheck, 'name' | 'gpu'>): string {
  return name === 'gpu' ? numbered(gpu) : 'memory';
}

/** What holds a part: `host`, `GPU`, or `GPU 1` where there are several. */
export function holderLabel({ device, gpu }: Pick<EstimatePart, 'device' | 'gpu'>): string {
  return device === 'gpu' ? numbered(gpu) : 'host';
}

/** ` on the GPU`, ` on GPU 1`, or nothing for the machine's own memory. */
export function whereLimited({ name, gpu }: Pick<LimitCheck, 'name' | 'gpu'>): string {
  if (name !== 'gpu') return '';
  return gpu === undefined ? ' on the GPU' : ` on GPU ${gpu}`;
}

/** `the GPU`, or `2 GPUs` where several hold something. */
export function gpusInWords({ parts }: { readonly parts: readonly Pick<EstimatePart, 'gpu'>[] }): string {
  const { size } = new Set(parts.flatMap(({ gpu }) => gpu ?? []));
  return size > 1 ? `${size} GPUs` : 'the GPU';
}

/** What is taken of each memory, the GPUs first: `22GB of 24GB on GPU 0, 11GB of 12GB on GPU 1, 9GB of 44GB on the host`. */
export function takenOfEach(limits: readonly LimitCheck[]): string {
  const order = ({ name, gpu = 0 }: LimitCheck): number => (name === 'memory' ? Infinity : gpu);
  return limits
    .toSorted((a, b) => order(a) - order(b))
    .map((limit) => {
      const { name, requiredBytes, budget } = limit;
      const where = name === 'memory' ? ' on the host' : whereLimited(limit);
      return `${formatCompared(requiredBytes, Math.max(0, budget.bytes)).join(' of ')}${where}`;
    })
    .join(', ');
}

function numbered(gpu: number | undefined): string {
  return gpu === undefined ? 'GPU' : `GPU ${gpu}`;
}

/** What one limit holds, as people are told it. */
interface Requirement {
  readonly bytes: number;
  /** Whose memory; nothing where it is everything together, and that decides. */
  readonly holder: string;
}

/**
 * What is required under the limit that decides, `requirementBytes` in JSON, comes first. Where memories lie apart, so do the others';
 * where one memory holds everything and a GPU may take only a part of it, that everything.
 */
export function requirementsOf(limits: readonly LimitCheck[]): readonly Requirement[] {
  if (areApart(limits)) return limits.map((limit) => ({ bytes: limit.requiredBytes, holder: holderOf(limit) }));
  const [decisive] = limits;
  const others = decisive?.name === 'gpu' ? limits.filter(({ name }) => name === 'memory') : [];
  return [
    ...limits
      .slice(0, 1)
      .map((limit) => ({ bytes: limit.requiredBytes, holder: limit.name === 'gpu' ? holderOf(limit) : '' })),
    ...others.map(({ requiredBytes }) => ({ bytes: requiredBytes, holder: 'in all' })),
  ];
}

function holderOf({ name, gpu }: LimitCheck): string {
  return holderLabel({ device: name === 'gpu' ? 'gpu' : 'host', ...(gpu !== undefined && { gpu }) });
}
