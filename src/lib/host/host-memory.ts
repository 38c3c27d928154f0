/** What is known of the memory of one machine, at one moment. */
export interface HostMemory {
  /** `measured` on this machine now, or `given` by flags for this or another one. */
  readonly source: 'measured' | 'given';
  readonly totalBytes: number;
  /** In use by everything that runs already; what cannot be had without swapping. */
  readonly inUseBytes: number;
  /** Promised to launches by the guard's ledger; `inUseBytes` leaves out what these hold already. */
  readonly promisedBytes?: number;
  /** Linux only: the cgroup v2 limits that apply to this process beside the machine's own memory. */
  readonly cgroups?: readonly {
    /** Of the group, such as `/user.slice`. */
    readonly path?: string;
    readonly limitBytes: number;
    readonly inUseBytes: number;
    readonly promisedBytes?: number;
  }[];
  /** Metal only: what the GPU may wire (`iogpu.wired_limit_mb`, or the default of the macOS version). */
  readonly gpuWiredLimitBytes?: number;
  /** Discrete GPUs only. */
  readonly gpuMemory?: { readonly totalBytes: number; readonly inUseBytes: number };
  /** Sentences such as "in-use not given, counted as 0". */
  readonly notes: readonly string[];
}
