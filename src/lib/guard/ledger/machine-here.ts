import { readNow } from '../../host/processes/process-memory.js';
import { fingerprint } from '../fingerprint.js';

/**
 * Tells this Linux machine from others that see the same folders (machine-id(5), which is not to be shown); undefined where it has no
 * such name, as in most containers and on macOS.
 */
export function machineHere(): string | undefined {
  const id = readNow('/etc/machine-id')?.trim();
  return id ? fingerprint(`llmkube ${id}`) : undefined;
}
