import type { Backend, Scratch } from './backend.js';
import type { Tensor } from './tensor.js';

/** What computing graphs takes of each GPU beside buffers: pools grow to the most that a node needs, a library is loaded once. */
export class ScratchTally {
  private readonly used: Scratch[];

  constructor(private readonly backends: readonly Backend[]) {
    this.used = backends.filter(({ memory }) => memory !== 'cpu').map(() => ({ pool: 0, library: 0 }));
  }

  /** In bytes, by GPU. */
  get bytes(): readonly number[] {
    return this.used.map(({ pool, library }) => pool + library);
  }

  /** @param nodes with backends */
  run(nodes: readonly Tensor[]): void {
    if (this.backends[0]?.scratch === undefined) return;
    for (const node of nodes) {
      const before = this.used[node.backend];
      const taken = this.backends[node.backend]?.scratch?.(node);
      if (!before || !taken || (taken.pool <= before.pool && taken.library <= before.library)) continue;
      this.used[node.backend] = {
        pool: Math.max(before.pool, taken.pool),
        library: Math.max(before.library, taken.library),
      };
    }
  }
}
