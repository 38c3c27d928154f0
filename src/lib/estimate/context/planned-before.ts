import type { DeviceBytes } from '../ggml/device.js';
import type { Adapters } from '../graph/loaded/adapters.js';
import type { ContextParams } from './context-params.js';

export interface ComputeBuffers {
  readonly bytes: DeviceBytes;
  readonly flashAttn: boolean;
  /** What computing takes of each GPU beside them, in bytes. */
  readonly scratch?: readonly number[];
  /** False where a control vector is set of which the graph does not say where it goes. */
  readonly isSteered?: boolean;
}

/** What a context is planned for, beside its layers and the model's weights. */
interface PlannedFor {
  readonly params: ContextParams;
  readonly adapters?: Adapters | undefined;
  readonly steered?: boolean | undefined;
  readonly dryRun?: boolean;
  readonly inUse?: boolean;
}

/** Buffers, and the types of the weights that they are for, where they depend on those. */
interface Planned {
  readonly buffers: ComputeBuffers;
  readonly types: string | undefined;
}

/**
 * What contexts of a model were found to take, by what a plan depends on beside its layers and weights: launches that differ
 * in something else, such as their prompt cache, and quantizations of which a plan sees the same, take the same.
 */
export class PlannedBefore {
  readonly #planned = new Map<string, Planned>();

  find(asked: PlannedFor, types: string): ComputeBuffers | undefined {
    const key = keyOf(asked);
    const planned = key === undefined ? undefined : this.#planned.get(key);
    return planned?.types === undefined || planned.types === types ? planned?.buffers : undefined;
  }

  /** @param types unset where it does not depend on them */
  keep(asked: PlannedFor, buffers: ComputeBuffers, types: string | undefined): void {
    const key = keyOf(asked);
    if (key !== undefined) this.#planned.set(key, { buffers, types });
  }
}

/** Undefined where a plan depends on more than is said here: on another model, on adapters, on experts that are kept twice. */
function keyOf({ params, dryRun, inUse, steered, adapters }: PlannedFor): string | undefined {
  if (params.role.target !== null || params.expertCacheBytes > 0 || adapters !== undefined) return undefined;
  return JSON.stringify([{ ...params, llama: undefined }, dryRun, inUse, steered]);
}
