/** What is known of the memory of one machine, at one moment. */
export interface HostMemory {
  /** `measured` on this machine now, or `given` by flags for this or another one. */
  readonly source: 'measured' | 'given';
  readonly totalBytes: number;
  /** In use by everything that runs already, by the most generous count: what nobody else can have. */
  readonly inUseBytes: number;
  /**
   * What other programs hold beyond that and would have to give up, by compression or swap, before another could have it;
   * unset or 0 where there is no such memory, or it is not known.
   */
  readonly idleBytes?: number;
  /** Promised to launches by the guard's ledger; `inUseBytes` leaves out what these hold already. */
  readonly promisedBytes?: number;
  /** The guard's ledger, or one before it, could not be read: more may be promised, and an absolute budget counts what is in use. */
  readonly promisesUnknown?: true;
  /** Linux only: the cgroup limits (v1 and v2) that apply to this process beside the machine's own memory. */
  readonly cgroups?: readonly CgroupMemory[];
  /** Metal only: what the GPU may wire (`iogpu.wired_limit_mb`, or the default of the macOS version). */
  readonly gpuWiredLimitBytes?: number;
  /** That limit was said by a flag, which holds for another machine as well unless it is said anew. */
  readonly wiredLimitIsGiven?: true;
  /** Metal only, where macOS says it: what the GPU holds for all programs, and what of that is promised to none. */
  readonly gpuWired?: GpuWiredMemory;
  /** Every GPU that llama-server would see, in its order; unset where there is none, or with Metal. */
  readonly gpus?: readonly Gpu[];
  /** True where the GPU has no memory of its own beside the machine's: what it holds counts against both. */
  readonly unifiedMemory?: boolean;
  /** Sentences such as "in-use not given, counted as 0". */
  readonly notes: readonly string[];
}

export interface Gpu {
  /** Its number among the GPUs that llama-server sees. */
  readonly index: number;
  /** As its driver calls it; empty where nobody said. */
  readonly name: string;
  readonly totalBytes: number;
  readonly usedBytes: number;
  /** As its driver tells it from every other; unset where it does not. */
  readonly uuid?: string;
  /** What processes that were asked about hold on it, where the driver says so; part of `usedBytes`. */
  readonly heldBy?: readonly { readonly pid: number; readonly bytes: number }[];
  /** Promised to launches by the guard's ledger; `usedBytes` leaves out what these hold already. */
  readonly promisedBytes?: number;
}

/** Bytes, of the machine's own memory. */
export interface GpuWiredMemory {
  /** Given to programs, wired at the moment or not. */
  readonly allocatedBytes: number;
  /** Wired now. */
  readonly inUseBytes: number;
  /** Promised to launches by the guard's ledger; `inUseBytes` leaves out what these hold already. */
  readonly promisedBytes?: number;
}

export interface CgroupMemory {
  /** The group's path in cgroup v2, such as `/user.slice`. */
  readonly path?: string;
  readonly limitBytes: number;
  readonly inUseBytes: number;
  readonly promisedBytes?: number;
}
