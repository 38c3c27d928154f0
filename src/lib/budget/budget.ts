/** A ceiling on memory, and where its number comes from, so that a message can explain it. All in bytes. */
export type Budget =
  | {
      readonly kind: 'fraction';
      readonly bytes: number;
      /** Set when a cgroup (a container) is what limits, not the machine. */
      readonly scope?: 'cgroup';
      readonly totalBytes: number;
      readonly fraction: number;
      readonly inUseBytes: number;
      /** What others hold beside that and would have to give up first; see `HostMemory.idleBytes`. */
      readonly idleBytes?: number;
      /** Promised to other launches on this machine, here and below. */
      readonly promisedBytes?: number;
      /** Who said the fraction; see `BudgetPolicy.from`. */
      readonly from?: string;
    }
  | {
      readonly kind: 'absolute';
      readonly bytes: number;
      /** In use by everything that runs, where what was promised is not known: some of it may be of the same budget. */
      readonly inUseBytes?: number;
      readonly promisedBytes?: number;
      readonly from?: string;
    }
  | {
      readonly kind: 'gpu-wired';
      readonly bytes: number;
      /** Where it is known: the limit, and what other programs have wired. */
      readonly totalBytes?: number;
      readonly inUseBytes?: number;
      readonly promisedBytes?: number;
    }
  | {
      readonly kind: 'gpu-memory';
      readonly bytes: number;
      readonly totalBytes: number;
      readonly inUseBytes: number;
      readonly promisedBytes?: number;
    };
