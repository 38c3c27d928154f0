import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** What a server does with a request: writes to its connection whatever it likes. */
export type Hostility = (socket: Socket) => unknown;

const PARTIAL = 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-999/1000\r\nContent-Length: 1000\r\n\r\n';
const JSON_OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
const DRIP_MS = 400;
const MIB = 2 ** 20;
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';
const BOMB = gzipSync(Buffer.alloc(64 * MIB, ' '));

/** What any server may do, whatever it is asked for. */
const ANY_SERVER = {
  'never answers': () => undefined,
  'switches protocols': (socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
  'sends no HTTP': (socket) => socket.end('\u0000\u0001\u0002 hello'),
  'hangs up': (socket) => socket.destroy(),
  'says half of its first line': (socket) => socket.write('HTTP/1.1 2'),
  'stalls in the middle': (socket) => socket.write(`${JSON_OK}Content-Length: 1000\r\n\r\n{"items":[`),
  'breaks off in a chunk': (socket) => socket.end(`${JSON_OK}${CHUNKED}fff\r\n{"items":[`),
  'leaves out the last chunk': (socket) => socket.end(`${JSON_OK}${CHUNKED}2\r\n[]\r\n`),
  'sends a chunk of no length': (socket) => socket.end(`${JSON_OK}${CHUNKED}zz\r\n[]\r\n0\r\n\r\n`),
  'says two lengths': (socket) => socket.end(`${JSON_OK}Content-Length: 2\r\nContent-Length: 4\r\n\r\n[]`),
  'packs what is not packed': (socket) =>
    socket.end(`${JSON_OK}Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot a zip`),
  'packs nothing at all': (socket) => socket.end(`${JSON_OK}Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n`),
  'packs sixty-four megabytes into sixty-four thousand': (socket) => {
    socket.write(`${JSON_OK}Content-Encoding: gzip\r\nContent-Length: ${BOMB.length}\r\n\r\n`);
    socket.end(BOMB);
  },
  'sends headers without end': (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n', 'X-Padding: 1\r\n'.repeat(1000)),
} as const satisfies Readonly<Record<string, Hostility>>;

/** Servers of headers and of lists of files. */
export const FILE_SERVER_MODES = {
  ...ANY_SERVER,
  'says that nothing changed': (socket) => socket.write('HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n'),
  'drips bytes': (socket) => drip(socket, PARTIAL, 'G'),
  'drips headers': (socket) => drip(socket, 'HTTP/1.1 206 Partial Content\r\n', 'X-Padding: 1\r\n'),
  'drips the body of a redirect': (socket) =>
    drip(socket, 'HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 900\r\n\r\n'),
  'redirects for ever': (socket) => socket.write('HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n'),
  'redirects to a file': (socket) =>
    socket.write('HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n'),
  'redirects to an address of its own making': (socket) =>
    socket.write(
      `HTTP/1.1 302 Found\r\nLocation: http://[::1%25]/\u202e${'x'.repeat(9000)}\r\nContent-Length: 0\r\n\r\n`,
    ),
  'sends another part': (socket) =>
    socket.end('HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 500-999/1000\r\nContent-Length: 500\r\n\r\n'),
  'sends a part of a file without length': (socket) =>
    socket.end('HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/*\r\nContent-Length: 10\r\n\r\n0123456789'),
  'sends a part that ends before it begins': (socket) =>
    socket.end('HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 9-0/1000\r\nContent-Length: 0\r\n\r\n'),
  'sends a file of 2^63 bytes': (socket) =>
    socket.end(
      'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/9223372036854775807\r\nContent-Length: 10\r\n\r\nGGUFGGUFGG',
    ),
  'sends the whole file without end': (socket) => flood(socket, 'HTTP/1.1 200 OK\r\n\r\n', '\u0000'.repeat(MIB)),
  'sends nesting instead of a list': (socket) => answerJson(socket, '['.repeat(MIB)),
  'sends a list without end': (socket) =>
    flood(socket, `${JSON_OK}\r\n[`, '{"path":"a.gguf","type":"file"},'.repeat(9000)),
  'sends a list of a million nothings': (socket) => answerJson(socket, `[${'[],'.repeat(MIB)}[]]`),
  'asks to come back in a year': (socket) =>
    socket.end('HTTP/1.1 429 Too Many Requests\r\nRetry-After: 31536000\r\nContent-Length: 0\r\n\r\n'),
} as const satisfies Readonly<Record<string, Hostility>>;

/** API servers. */
export const CLUSTER_MODES = {
  ...ANY_SERVER,
  'drips its answer': (socket) => drip(socket, `${JSON_OK}Content-Length: 900\r\n\r\n`, ' '),
  'drips headers': (socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'X-Padding: 1\r\n'),
  'sends a line of a hundred megabytes': (socket) =>
    flood(socket, `${JSON_OK}\r\n{"type":"ADDED","object":{"x":"`, 'x'.repeat(MIB)),
  'answers without end': (socket) => flood(socket, `${JSON_OK}\r\n`, ' '.repeat(MIB)),
  'sends blank lines without end': (socket) => flood(socket, `${JSON_OK}\r\n`, '\n'.repeat(MIB)),
  'refuses without end': (socket) => flood(socket, 'HTTP/1.1 500 Oops\r\n\r\n', 'no '.repeat(MIB / 4)),
  'answers null': (socket) => answerJson(socket, 'null'),
  'answers a list': (socket) => answerJson(socket, '[]'),
  'answers a text': (socket) => answerJson(socket, '"items"'),
  'lists nothing': (socket) => answerJson(socket, '{"items":[null]}'),
  'lists lists': (socket) => answerJson(socket, '{"items":[[]],"metadata":null}'),
  'nests without end': (socket) => answerJson(socket, '{"items":'.repeat(MIB / 8)),
  'answers a million nothings': (socket) => answerJson(socket, `{"items":[${'[],'.repeat(MIB)}[]]}`),
  'sends a login page': (socket) => answer(socket, '200 OK', 'text/html', '<!DOCTYPE html><title>\u001b[2J</title>'),
  'redirects elsewhere': (socket) =>
    socket.write('HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n'),
  'is always busy': (socket) => socket.write('HTTP/1.1 429 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n'),
  'refuses with control characters': (socket) => answer(socket, '422 No', 'application/json', JSON.stringify(REFUSAL)),
  'refuses with nothing as reason': (socket) =>
    answer(
      socket,
      '422 No',
      'application/json',
      '{"message":"no","details":{"causes":[null,{"field":null}],"name":{}}}',
    ),
} as const satisfies Readonly<Record<string, Hostility>>;

const REFUSAL = {
  kind: 'Status',
  status: 'Failure',
  message: 'no\u001b[2J\u202e Bearer abcdefghijklmnop',
  details: {
    name: 'x\u0007',
    causes: [{ reason: 'r\u009b31m', message: 'm\u001b[31m', field: 'spec.\u001b]0;x\u0007' }],
  },
};

function answerJson(socket: Socket, body: string): void {
  answer(socket, '200 OK', 'application/json', body);
}

function answer(socket: Socket, status: string, type: string, body: string): void {
  const length = Buffer.byteLength(body);
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`);
}

/** Sends the start, then a little at a time for as long as anyone listens. */
function drip(socket: Socket, start: string, drop = 'x'): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(drop), DRIP_MS);
  socket.on('close', () => clearInterval(timer));
}

/** Sends the start, then as much as anyone takes. */
function flood(socket: Socket, start: string, wave: string): void {
  socket.write(start);
  const more = (): void => {
    while (!socket.destroyed && socket.write(wave));
  };
  socket.on('drain', more);
  more();
}
