import type { ModelShape } from '../model/model-shape.js';
import type { LaunchOptions } from '../runtime/launch-options.js';
import { estimateMemory } from './estimate-memory.js';
import type { EstimatePart, MemoryEstimate } from './memory-estimate.js';
import { Placement } from './weights/placement.js';

/** Bytes that llama.cpp prints for one kind of buffer on one device. */
export type PrintedBuffer = Pick<EstimatePart, 'name' | 'device' | 'gpu' | 'bytes'>;

/**
 * What llama-server prints while it starts, "… buffer size = …" (`src/llama-model.cpp`, `src/llama-kv-cache.cpp`,
 * `src/llama-context.cpp`, llama.cpp v0.5.0), summed for each kind and device. Mappings are printed whole, whatever of them is
 * read and wherever they overlap.
 * @param parts of the estimate of this launch, where it was made already
 * @throws UsageError, CheckIncompleteError as `estimateMemory` does
 */
export function printedBuffers(
  shape: ModelShape,
  launch: LaunchOptions,
  { parts }: Pick<MemoryEstimate, 'parts'> = estimateMemory(shape, launch),
): readonly PrintedBuffer[] {
  const { hostRange } = Placement.of(shape, launch).bytes();
  const mapped: readonly PrintedBuffer[] = hostRange > 0 ? [{ name: 'weights', device: 'host', bytes: hostRange }] : [];
  const others = parts
    .filter(({ name }) => name !== 'runtime-overhead' && name !== 'weights-unread')
    // Of an expert cache, the lists of places on the host are not printed.
    .filter(({ name, device }) => name !== 'expert-cache' || device === 'gpu')
    .filter(({ name, device }) => name !== 'weights' || device === 'gpu');
  return [...mapped, ...others];
}
