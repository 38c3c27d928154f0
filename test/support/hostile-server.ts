import { createServer, type Server, type Socket } from 'node:net';

/** What a hostile server does with a request, by name. */
export type Hostility = keyof typeof MODES;

const PARTIAL = 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-999/1000\r\nContent-Length: 1000\r\n\r\n';
const DRIP_MS = 400;

const MODES = {
  'switches protocols': (socket: Socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
  'says that nothing changed': (socket: Socket) =>
    socket.write('HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n'),
  'never answers': () => undefined,
  'drips bytes': (socket: Socket) => drip(socket, PARTIAL, 'G'),
  'drips headers': (socket: Socket) => drip(socket, 'HTTP/1.1 206 Partial Content\r\n', 'X-Padding: 1\r\n'),
  'drips the body of a redirect': (socket: Socket) =>
    drip(socket, 'HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 900\r\n\r\n'),
  'redirects for ever': (socket: Socket) =>
    socket.write('HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n'),
  'redirects to a file': (socket: Socket) =>
    socket.write('HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n'),
  'sends no HTTP': (socket: Socket) => socket.end('\u0000\u0001\u0002 hello'),
  'hangs up': (socket: Socket) => socket.destroy(),
  'sends nesting instead of a list': (socket: Socket) => {
    const body = '['.repeat(2 ** 20);
    socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  },
} satisfies Readonly<Record<string, (socket: Socket) => unknown>>;

/** A server on loopback that answers every request in one hostile way. */
export class HostileServer {
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static start(mode: Hostility): Promise<HostileServer> {
    return new Promise((resolve) => {
      const server = createServer((socket) => {
        running.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('data', () => MODES[mode](socket));
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

/** Sends the start, then a little at a time for as long as anyone listens. */
function drip(socket: Socket, start: string, drop = 'x'): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(drop), DRIP_MS);
  socket.on('close', () => clearInterval(timer));
}
