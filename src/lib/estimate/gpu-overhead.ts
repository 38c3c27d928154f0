import type { Accelerator, GpuMemory } from '../runtime/launch-options.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/**
 * Of NVIDIA's cards since Turing with so much memory, the most multiprocessors (an RTX 4090: 128 and 24 GiB), and what the driver's context
 * takes for each: 107 MiB of an RTX 4060 Ti's 34, 256 of an RTX 3090's 82 and 555 of an RTX PRO 6000's 188 in public reports; 524 of an
 * H100's 132 measured, whose memory is of another kind.
 */
const CARDS = [
  { upToBytes: 4 * GIB, multiprocessors: 20, contextMib: 3.2 },
  { upToBytes: 6 * GIB, multiprocessors: 30, contextMib: 3.2 },
  { upToBytes: 8 * GIB, multiprocessors: 48, contextMib: 3.2 },
  { upToBytes: 11 * GIB, multiprocessors: 68, contextMib: 3.2 },
  { upToBytes: 12 * GIB, multiprocessors: 80, contextMib: 3.2 },
  { upToBytes: 16 * GIB, multiprocessors: 84, contextMib: 3.2 },
  { upToBytes: 24 * GIB, multiprocessors: 128, contextMib: 3.2 },
  { upToBytes: 32 * GIB, multiprocessors: 170, contextMib: 3.2 },
  { upToBytes: 48 * GIB, multiprocessors: 142, contextMib: 3.2 },
  { upToBytes: 80 * GIB, multiprocessors: 132, contextMib: 3.969 },
  { upToBytes: 96 * GIB, multiprocessors: 188, contextMib: 3.2 },
  { upToBytes: Infinity, multiprocessors: 160, contextMib: 3.969 },
] as const;
type Card = (typeof CARDS)[number];
/** Of a card of which nothing is known. */
const UNKNOWN_CARD_BYTES = 24 * GIB;

/** Streams and the backend's own kernels once prompts and tokens were computed, 71 to 75 MiB on an H100, and what pages of 2 MiB add to buffers. */
const KERNEL_BYTES = 84 * MIB;
/** Backends of whose context nothing is known: with it, with all that is loaded for it and with what is needed in between. */
const OTHERS: readonly { readonly upToBytes: number; readonly overheadBytes: number }[] = [
  { upToBytes: 36 * GIB, overheadBytes: 350 * MIB },
  { upToBytes: Infinity, overheadBytes: 700 * MIB },
];

function cardOf(memory: GpuMemory | undefined): Card {
  const bytes = memory?.totalBytes ?? UNKNOWN_CARD_BYTES;
  return CARDS.find(({ upToBytes }) => bytes <= upToBytes) as Card;
}

export function multiprocessorsOf(memory: GpuMemory | undefined): number {
  return cardOf(memory).multiprocessors;
}

/** What the driver takes of a card as soon as a program asks how much is free; 0 where that is not known. */
export function driverContextBytes(accelerator: Accelerator, memory: GpuMemory): number {
  return isCudaLike(accelerator) ? contextBytes(memory) : 0;
}

/** What a GPU holds beside llama.cpp's buffers and what computing needs in between. */
export function gpuOverheadBytes(accelerator: Accelerator, memory: GpuMemory | undefined): number {
  if (isCudaLike(accelerator)) return contextBytes(memory) + KERNEL_BYTES;
  const bytes = memory?.totalBytes ?? UNKNOWN_CARD_BYTES;
  return OTHERS.find(({ upToBytes }) => bytes <= upToBytes)?.overheadBytes ?? 0;
}

/** ROCm is taken for CUDA, from whose source it is compiled. */
function isCudaLike(accelerator: Accelerator): boolean {
  return accelerator === 'cuda' || accelerator === 'rocm';
}

function contextBytes(memory: GpuMemory | undefined): number {
  const { multiprocessors, contextMib } = cardOf(memory);
  return Math.ceil(multiprocessors * contextMib) * MIB;
}
