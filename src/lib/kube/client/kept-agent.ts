import { Agent, type AgentOptions } from 'node:https';

/** What makes one connection to a server different from another. */
const TELLING = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized'] as const;

/**
 * One agent whose connections stay open, instead of the one that client-node makes for each request, with a TLS handshake each;
 * another one as soon as the credentials are others. What goes through a proxy is left as it is.
 */
export class KeptAgent {
  #agent: Agent | undefined;
  #identity = '';

  kept(fresh: Agent | undefined): Agent | undefined {
    if (fresh === undefined || Object.getPrototypeOf(fresh) !== Agent.prototype) return fresh;
    const identity = identityOf(fresh.options);
    if (this.#agent === undefined || identity !== this.#identity) {
      this.#agent = new Agent({ ...fresh.options, keepAlive: true });
      this.#identity = identity;
    }
    return this.#agent;
  }
}

function identityOf(options: AgentOptions): string {
  return TELLING.map((name) => String(options[name])).join('\n');
}
