import type { HostMemory } from '../../host/host-memory.js';
import type { CompletedVerdict } from './verdict.js';

/** Cards seldom have more than this of the memory of the machine that they are in. */
const USUAL_SHARE = 0.75;

/**
 * What to say of GPUs that somebody gave so much memory that it may be the machine's own, where that would change the verdict;
 * undefined otherwise.
 * @param judged the verdict on the same launch on another machine
 */
export function sharedMemoryNote(
  { kind }: CompletedVerdict,
  host: HostMemory,
  judged: (host: HostMemory) => CompletedVerdict,
): string | undefined {
  const { gpus = [], unifiedMemory, totalBytes } = host;
  // Chips that share the memory of a machine are alike; two cards of unequal size are cards.
  if (new Set(gpus.map((gpu) => gpu.totalBytes)).size > 1) return undefined;
  const gpuBytes = gpus.reduce((sum, gpu) => sum + gpu.totalBytes, 0);
  const wasMeasured = gpus.some(({ name }) => name !== '');
  if (kind === 'does-not-fit' || unifiedMemory || wasMeasured || gpuBytes <= totalBytes * USUAL_SHARE) return undefined;
  const shared = judged({ ...host, unifiedMemory: true });
  if (shared.kind === kind || shared.kind === 'fits') return undefined;
  const then = shared.kind === 'tight' ? 'it is tight' : 'it does not fit';
  return `GPU and system memory count as two here; if the GPU has no memory of its own (GB10, Strix Halo, Jetson), ${then}: --unified-memory counts them as one`;
}
