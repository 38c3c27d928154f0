import { createServer, type Server, type ServerResponse } from 'node:http';
import { UsageError } from '../errors.js';
import { safeOutput } from '../printable.js';
import { problemText } from './log.js';

export interface HttpSources {
  /** Undefined when the agent does its work; else what keeps it from that. */
  readonly notReady: () => string | undefined;
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
}

/** `/healthz`, `/readyz` and `/metrics`, for this machine only. @throws UsageError PORT_IN_USE */
export async function serveHttp(port: number, sources: HttpSources): Promise<Server> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/healthz') return send(response, 200, 'ok\n');
    if (path === '/readyz') {
      const problem = sources.notReady();
      return send(response, problem === undefined ? 200 : 503, `${problem ?? 'ok'}\n`);
    }
    if (path !== '/metrics') return send(response, 404, 'there are /healthz, /readyz and /metrics\n');
    sources.metrics().then(
      ({ type, text }) => send(response, 200, text, type),
      (error: unknown) => send(response, 500, `${problemText(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const options = { cause: error, suggestions: ['choose another one with --port, or 0 for none'] };
      reject(new UsageError('PORT_IN_USE', `port ${port} of this machine cannot be listened on`, options));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  server.unref();
  return server;
}

function send(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type }).end(safeOutput(text));
}
