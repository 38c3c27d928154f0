import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultAgentId } from '../../agent/agent.js';
import { logFileOf } from '../../agent/machine/server-record.js';
import { UsageError } from '../../errors.js';
import { stateFolderPath } from '../../guard/ledger/state-folder.js';
import { nearest } from '../../nearest.js';
import { shown } from '../../printable.js';
import { whyNotRead } from '../../system-words.js';

const ENDING = '.log';

/**
 * The log of a service's llama-server that an agent of this machine started.
 * @param key NAMESPACE/NAME
 * @throws UsageError LOG_NOT_READABLE
 */
export function serverLog(key: string, agentId: string = defaultAgentId()): string {
  const folder = join(stateFolderPath(), 'agents', encodeURIComponent(agentId));
  const file = logFileOf(folder, key);
  const missing = `the agent ${shown(agentId)} has started no llama-server of ${shown(key)} on this machine`;
  const there = servicesWithLog(folder);
  const [only] = there.filter((service) => service.endsWith(`/${key}`));
  const meant = only === undefined ? nearest(key, there) : [only];
  return readable(file, missing, [
    ...(meant.length > 0
      ? [`did you mean ${meant.join(' or ')}?`]
      : key.includes('/')
        ? []
        : ['write it as NAMESPACE/NAME']),
  ]);
}

/** A log that can be read. @param missing what to say where there is none */
export function readable(file: string, missing: string, suggestions: readonly string[]): string {
  try {
    accessSync(file, constants.R_OK);
    return file;
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    const problem = isMissing ? missing : `the log ${shown(file)} cannot be read: ${whyNotRead(error)}`;
    throw new UsageError('LOG_NOT_READABLE', problem, { suggestions: isMissing ? suggestions : [] });
  }
}

/** A namespace has no dots. */
function servicesWithLog(folder: string): readonly string[] {
  try {
    return readdirSync(folder).flatMap((name) =>
      name.endsWith(ENDING) ? [decodeURIComponent(name.slice(0, -ENDING.length)).replace('.', '/')] : [],
    );
  } catch {
    return [];
  }
}
