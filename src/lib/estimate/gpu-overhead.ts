import type { GpuMemory } from '../runtime/launch-options.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * What a GPU holds beside llama.cpp's buffers: the driver's context with the kernels (public reports: 107 MiB on an RTX
 * 4060 Ti, 256 on an RTX 3090, 555 on an RTX PRO 6000), cuBLAS's workspace (4 MiB, 32 from compute capability 9.0 on) and
 * the pool for intermediate values (6 to 126 MiB). By the size of the card, the first that is large enough.
 */
const CLASSES: readonly { readonly upToBytes: number; readonly overheadBytes: number }[] = [
  { upToBytes: 36 * GIB, overheadBytes: 350 * MIB },
  { upToBytes: Infinity, overheadBytes: 700 * MIB },
];

/** An unknown card counts as one for consumers. */
export function gpuOverheadBytes(card: GpuMemory | undefined): number {
  const found = CLASSES.find(({ upToBytes }) => (card?.totalBytes ?? 0) <= upToBytes);
  return found?.overheadBytes ?? 0;
}
