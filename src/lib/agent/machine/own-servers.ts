import { fingerprint } from '../../guard/fingerprint.js';
import type { LedgerEntry } from '../../guard/ledger/ledger.js';
import { markedProcesses } from '../../host/processes/marked-processes.js';
import type { FindProcess, ProcessIdentity } from '../../host/processes/processes.js';

/** In the environment of every server, and of whatever it starts: whose it is. */
const VARIABLE = 'LLMKUBE_SERVER_OF';

/** A process of a server of this agent. */
export interface OwnProcess extends ProcessIdentity {
  /** The service: `namespace/name`. */
  readonly key: string;
  /** The process group of its server. */
  readonly group: number;
}

/** The servers of one agent as they run, told by what each process carries itself: files may be lost, damaged or another's. */
export class OwnServers {
  readonly #owner: string;

  constructor(
    stateFolder: string,
    agentId: string,
    private readonly find: FindProcess,
  ) {
    this.#owner = fingerprint(`${stateFolder}\n${agentId}`);
  }

  /** How a server of a service is marked, in its environment and in the ledger. */
  mark(key: string): string {
    return `${this.#owner}:${key}`;
  }

  environment(key: string): Readonly<Record<string, string>> {
    return { [VARIABLE]: this.mark(key) };
  }

  /** Every process of every server; @param entries of the ledger, for those whose environment cannot be read */
  running(entries: readonly LedgerEntry[] = []): readonly OwnProcess[] {
    const marked = markedProcesses(VARIABLE);
    const ledgered = entries.flatMap(({ pid, mark, kept }) =>
      mark === undefined || kept === true || marked.some((one) => one.pid === pid) ? [] : [{ pid, group: pid, mark }],
    );
    return [...marked, ...ledgered].flatMap(({ pid, group, mark }) => {
      const [owner, key] = mark.split(':', 2);
      const identity = owner === this.#owner && key !== undefined ? this.find(pid) : undefined;
      return identity === undefined ? [] : [{ ...identity, key: key ?? '', group }];
    });
  }
}
