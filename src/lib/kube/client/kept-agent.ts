import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent as HttpAgent, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';

/** What makes one connection to a server different from another. */
const TELLING = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized'] as const;

/** Not those of proxies, each of which is for one request. */
const KEPT = [HttpAgent, HttpsAgent];

/** Who asks, and wants to know which connection the question takes. */
const ASKING = new AsyncLocalStorage<(connection: Duplex) => void>();

/**
 * One agent whose connections stay open, instead of the one that client-node makes for each request, with a TLS handshake each;
 * another one as soon as the credentials are others.
 */
export class KeptAgent {
  #agent: HttpAgent | undefined;
  #identity = '';

  /** @param signal of the request; ends a connection that still waits for its proxy, of which Node's agents do not know yet */
  kept(fresh: HttpAgent | undefined, signal: AbortSignal): HttpAgent | undefined {
    const Kind = KEPT.find(({ prototype }) => fresh !== undefined && Object.getPrototypeOf(fresh) === prototype);
    if (fresh === undefined || Kind === undefined) return fresh && telling(endingWith(signal, fresh));
    const { options } = fresh as HttpsAgent;
    const identity = `${Kind.name}\n${identityOf(options)}`;
    if (this.#agent === undefined || identity !== this.#identity) {
      this.#agent = telling(new Kind({ ...options, keepAlive: true }));
      this.#identity = identity;
    }
    return this.#agent;
  }
}

/**
 * What a request through a kept agent gives. A server that answers 101 switches to a protocol that nobody speaks: Node then closes the
 * connection, and node-fetch never hears of it. A connection that is closed for any other reason is an error of the request.
 * @throws what `switched` makes when the server answers 101, and what the request throws
 */
export async function answered<T>(ask: () => Promise<T>, switched: () => Error): Promise<T> {
  let connection: Duplex | undefined;
  let onClose = (): void => undefined;
  const closed = new Promise<never>((_, reject) => {
    // Behind whatever error Node tells of the same.
    onClose = () => void setImmediate(() => reject(switched()));
  });
  const watch = (taken: Duplex): void => {
    connection?.off('close', onClose);
    connection = taken.once('close', onClose);
  };
  try {
    return await Promise.race([ASKING.run(watch, ask), closed]);
  } finally {
    connection?.off('close', onClose);
  }
}

/** The same agent of hpagent, if it is one, whose CONNECT ends with the signal; it asks with a request of its own. */
function endingWith<T extends HttpAgent & { proxyRequestOptions?: RequestOptions }>(signal: AbortSignal, agent: T): T {
  if (agent.proxyRequestOptions !== undefined) agent.proxyRequestOptions = { ...agent.proxyRequestOptions, signal };
  return agent;
}

/** The same agent, which tells who asks which connection it takes; those through a proxy are there later. */
function telling<T extends HttpAgent>(agent: T): T {
  const connect = agent.createConnection.bind(agent);
  const reuse = agent.reuseSocket.bind(agent);
  agent.createConnection = (options, callback) => {
    const tell = ASKING.getStore();
    const tellLater: typeof callback = (error, connection) => callback?.(error, told(connection, tell));
    return told(connect(options, tellLater), tell);
  };
  agent.reuseSocket = (socket, request) => reuse(told(socket), request);
  return agent;
}

function told<T extends Duplex | null | undefined>(connection: T, tell = ASKING.getStore()): T {
  if (connection) tell?.(connection);
  return connection;
}

function identityOf(options: AgentOptions): string {
  return TELLING.map((name) => String(options[name])).join('\n');
}
