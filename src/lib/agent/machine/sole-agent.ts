import { randomUUID } from 'node:crypto';
import { parseBoundedJson } from '../../bounded-json.js';
import { dirname, join } from 'node:path';
import { type LlmkubeError, UsageError } from '../../errors.js';
import { withLock } from '../../guard/ledger/lock.js';
import { makeFolder } from '../../guard/ledger/state-folder.js';
import { sameProcess, type FindProcess, type ProcessIdentity } from '../../host/processes/processes.js';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import { printable } from '../../printable.js';

/** Who has the name of an agent on this machine. */
interface Holder extends ProcessIdentity {
  /** Of this machine's agent of that name, from its first start on. */
  readonly instance: string;
}

/**
 * Takes the name of an agent on this machine for as long as this process lives: two of one name would each run every service of it.
 * A state folder that cannot be written, as on a full disk, keeps nobody from looking after what runs already.
 * @returns what tells this machine's agent from one of the same name elsewhere
 * @throws UsageError AGENT_RUNS while another process has it; CheckIncompleteError GUARD_BUSY
 */
export async function takeAgentName(stateFolder: string, id: string, find: FindProcess): Promise<string> {
  const self = find(process.pid) ?? { pid: process.pid, startedAt: '' };
  const file = holderFile(stateFolder, id);
  const instance = (): string => {
    const before = holderIn(file);
    if (before !== undefined && !sameProcess(self, before) && sameProcess(find(before.pid), before)) {
      throw new UsageError(
        'AGENT_RUNS',
        `the agent "${printable(id)}" runs on this machine already, as process ${before.pid}`,
        { suggestions: ['end that one, or give this one another name with --agent-id'] },
      );
    }
    return before?.instance ?? randomUUID();
  };
  try {
    return await withLock(join(stateFolder, 'lock'), { self, find }, async () => {
      const own = instance();
      makeFolder(dirname(file));
      writeOwnFile(file, JSON.stringify({ ...self, instance: own }));
      return own;
    });
  } catch (error) {
    if (error instanceof UsageError || (error as LlmkubeError).code === 'GUARD_BUSY') throw error;
    return instance();
  }
}

/** Whether an agent of this name runs on this machine. */
export function isHeld(stateFolder: string, id: string, find: FindProcess): boolean {
  const holder = holderIn(holderFile(stateFolder, id));
  return holder !== undefined && sameProcess(find(holder.pid), holder);
}

function holderFile(stateFolder: string, id: string): string {
  return join(stateFolder, 'agents', encodeURIComponent(id), 'agent');
}

/** Undefined where there was none, or the file is not as it was written. */
function holderIn(file: string): Holder | undefined {
  try {
    const { pid, startedAt, instance } = parseBoundedJson(readOwnFile(file)) as Partial<Holder>;
    const isWhole = typeof pid === 'number' && typeof startedAt === 'string' && typeof instance === 'string';
    return isWhole ? { pid, startedAt, instance } : undefined;
  } catch {
    return undefined;
  }
}
