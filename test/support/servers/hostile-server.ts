import { createServer, type Server, type Socket } from 'node:net';
import type { Hostility } from './hostile-modes.js';

/** A server on loopback that answers every request in one hostile way. */
export class HostileServer {
  readonly #sockets = new Set<Socket>();
  /** How often anything was asked. */
  requestCount = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static start(mode: Hostility): Promise<HostileServer> {
    return new Promise((resolve) => {
      const server = createServer((socket) => {
        running.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('data', () => {
          running.requestCount++;
          mode(socket);
        });
      });
      let running: HostileServer;
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        running = new HostileServer(server, `http://127.0.0.1:${port}`);
        resolve(running);
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
