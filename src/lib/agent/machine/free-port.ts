import { createServer } from 'node:net';

/** Ports given out by this agent and not yet listened on, so that two starts at once do not get the same. */
const reserved = new Set<number>();

/** A port of a host that nobody listens on, kept from others of this agent until `release`. */
export async function reservePort(host: string): Promise<{ readonly port: number; readonly release: () => void }> {
  for (;;) {
    const port = await unusedPort(host);
    if (reserved.has(port)) continue;
    reserved.add(port);
    return { port, release: () => reserved.delete(port) };
  }
}

function unusedPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
