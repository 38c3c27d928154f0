import type { EstimatePart } from '../../estimate/memory-estimate.js';
import type { LimitCheck } from '../../preflight/verdict.js';

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

function numbered(gpu: number | undefined): string {
  return gpu === undefined ? 'GPU' : `GPU ${gpu}`;
}
