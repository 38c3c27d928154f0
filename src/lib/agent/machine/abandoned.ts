import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerEntry } from '../../guard/ledger/ledger.js';
import type { FindProcess } from '../../host/processes/processes.js';
import { ServerRecords } from './server-record.js';
import { isHeld } from './sole-agent.js';

/** Servers of an agent that does not run, as when the host has got another name, which is an agent's where it is not given one. */
export interface Abandoned {
  readonly agent: string;
  /** `namespace/name` of each. */
  readonly services: readonly string[];
}

/** Of other agents of this machine than `ownId`. It may be that they only rest: nothing is ended by it. */
export function abandonedServers(
  stateFolder: string,
  ownId: string,
  entries: readonly LedgerEntry[],
  find: FindProcess,
): readonly Abandoned[] {
  const folders = readdirSync(join(stateFolder, 'agents'), { withFileTypes: true }).filter((one) => one.isDirectory());
  const ids = folders.flatMap(({ name }) => idOf(name) ?? []);
  return ids.flatMap((agent) => {
    if (agent === ownId || isHeld(stateFolder, agent, find)) return [];
    const services = new ServerRecords(stateFolder, agent).alive(entries, find).map(({ key }) => key);
    return services.length === 0 ? [] : [{ agent, services }];
  });
}

/** Undefined for what no agent has made. */
function idOf(folder: string): string | undefined {
  try {
    return decodeURIComponent(folder);
  } catch {
    return undefined;
  }
}
