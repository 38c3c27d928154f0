import { gpuOverheadBytes } from '../../estimate/gpu-overhead.js';
import { type EstimatePart, gpuOf, type MemoryEstimate } from '../../estimate/memory-estimate.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';

/** What is known of one context: bytes by device. */
interface Taken {
  readonly nCtx: number;
  readonly nUbatch: number;
  /** As it was asked for; unset where it was not, 0 for as large as the batch. */
  readonly ubatchSize: number | undefined;
  readonly bytes: ReadonlyMap<string, number>;
}

/** Of flash attention's mask, which has an f16 for each token of a batch and of the context, and grows everywhere. */
const MASK_BYTES = 2;

/**
 * What graphs, and files beside the model but for its projector, took of launches that were estimated, to tell about what they will take of others: it
 * depends little on the quantization, and nearly in a line on the context and on the tokens that are computed at once.
 */
export class GraphMemory {
  readonly #byLaunch = new Map<string, Taken[]>();
  #last: readonly Taken[] = [];

  learn(launch: LaunchOptions, { parts, resolved: { nCtx, nUbatch } }: MemoryEstimate): void {
    const bytes = new Map<string, number>();
    for (const part of parts) {
      const device = `${part.device} ${gpuOf(part)}`;
      bytes.set(device, (bytes.get(device) ?? 0) + graphBytes(part, launch));
    }
    const key = keyWithoutSizes(launch);
    const known = this.#byLaunch.get(key) ?? [];
    this.#byLaunch.set(key, known);
    known.push({ nCtx, nUbatch, ubatchSize: launch.ubatchSize, bytes });
    this.#last = known;
  }

  /**
   * A share of what it took of another quantization with the same launch, or with a smaller context or fewer tokens at a time; nothing
   * where that is not known.
   */
  asKnown(launch: LaunchOptions, share: number): readonly EstimatePart[] {
    const { ctxSize = 0 } = launch;
    const [most] = (this.#byLaunch.get(keyWithoutSizes(launch)) ?? [])
      .filter((known) => known.nCtx <= ctxSize && hasNoMoreTokens(known, launch))
      .sort((a, b) => b.nUbatch - a.nUbatch || b.nCtx - a.nCtx);
    return most === undefined ? [] : asParts([...most.bytes].map(([device, bytes]) => [device, bytes * share]));
  }

  /** By the nearest contexts of the same launch, or else by the launch that was estimated last. */
  asLikely(launch: LaunchOptions): readonly EstimatePart[] {
    const { ctxSize = 0, ubatchSize } = launch;
    const known = this.#byLaunch.get(keyWithoutSizes(launch)) ?? this.#last;
    const alike = known.filter((one) => one.ubatchSize === ubatchSize);
    const [nearest, next] = (alike.length > 0 ? alike : known).toSorted(
      (a, b) => Math.abs(a.nCtx - ctxSize) - Math.abs(b.nCtx - ctxSize),
    );
    if (nearest === undefined) return [];
    const share = alike.length === 0 && ubatchSize ? ubatchSize / nearest.nUbatch : 1;
    return asParts(
      [...nearest.bytes].map(([device, bytes]) => {
        const perToken =
          next === undefined || next.nCtx === nearest.nCtx
            ? nearest.nUbatch * MASK_BYTES
            : ((next.bytes.get(device) ?? 0) - bytes) / (next.nCtx - nearest.nCtx);
        return [device, share * Math.max(0, bytes + perToken * (ctxSize - nearest.nCtx))];
      }),
    );
  }
}

/** What a graph has to do with, of a part; of a GPU's overhead what computing takes. */
function graphBytes(part: EstimatePart, { accelerator, gpuMemory }: LaunchOptions): number {
  const { of, name, device, bytes } = part;
  if (of === 'projector') return 0;
  if (of !== 'model' || name === 'compute') return bytes;
  if (name !== 'runtime-overhead' || device !== 'gpu') return 0;
  return bytes - gpuOverheadBytes(accelerator, gpuMemory?.[gpuOf(part)]);
}

function hasNoMoreTokens({ nUbatch, ubatchSize }: Taken, asked: LaunchOptions): boolean {
  return ubatchSize === asked.ubatchSize || nUbatch <= (asked.ubatchSize ?? 0);
}

function keyWithoutSizes(launch: LaunchOptions): string {
  return JSON.stringify({ ...launch, ctxSize: 0, ubatchSize: 0 });
}

function asParts(bytesOf: readonly (readonly [device: string, bytes: number])[]): EstimatePart[] {
  return bytesOf.map(([key, bytes]) => {
    const [device, gpu] = key.split(' ');
    const place = { device: device === 'gpu' ? device : 'host', gpu: Number(gpu) } as const;
    return { name: 'compute', of: 'model', ...place, bytes, accuracy: 'modelled' };
  });
}
