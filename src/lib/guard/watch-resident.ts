import { connect } from 'node:net';
import type { ServerAddress } from '../runtime/server-command.js';
import type { GuardMachine } from './guard-machine.js';
import type { StartedProcess } from './guarded-spawn.js';

/** With the port that llama-server listens on. */
type OpenAddress = ServerAddress & { readonly port: number };

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const ANSWER_MS = 900;

/** The overhead that every launch is promised does not all arrive: enough of the rest says that the buffers are there. */
const ARRIVED_SHARE = 0.95;

/**
 * Looks, at most once a second and ever more seldom, whether a started server answers or its own memory has arrived; then marks it
 * resident and never looks again. The watch keeps no process alive.
 * @returns ends the watch
 */
export function watchUntilResident(
  started: StartedProcess,
  address: OpenAddress,
  { memoryOf }: Pick<GuardMachine, 'memoryOf'>,
): () => void {
  let timer: NodeJS.Timeout;
  const wait = (ms: number): void => {
    timer = setTimeout(() => {
      void look(ms);
    }, ms).unref();
  };
  const look = async (ms: number): Promise<void> => {
    const { pid, requirement } = started.entry;
    const ownBytes = requirement.hostBytes - requirement.mappedBytes;
    const arrived = (memoryOf(pid)?.anonymousBytes ?? 0) >= ownBytes * ARRIVED_SHARE;
    if (arrived || (await isHealthy(address))) await started.markResident();
    else wait(Math.min(LONGEST_WAIT_MS, ms * 1.25));
  };
  wait(FIRST_WAIT_MS);
  return () => clearTimeout(timer);
}

/** `GET /health` of llama-server says 200 once the model is loaded, and 503 before. */
function isHealthy({ host, port, prefix }: OpenAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const everywhere = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
    const socket = host.endsWith('.sock') ? connect(host) : connect(port, everywhere);
    const end = (healthy: boolean): void => {
      socket.destroy();
      resolve(healthy);
    };
    socket.unref();
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('connect', () => socket.write(`GET ${prefix}/health HTTP/1.0\r\nHost: localhost\r\n\r\n`));
    socket.once('data', (data) => end(/^HTTP\/1\.[01] 200 /.test(data.toString('latin1'))));
    socket.once('close', () => end(false));
  });
}
