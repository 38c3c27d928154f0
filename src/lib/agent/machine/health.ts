import { request } from 'node:http';

/** One that takes longer does not answer. */
const ANSWER_MS = 5_000;

/** Where a llama-server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Whether a llama-server says that it has loaded and answers: `GET /health` is 503 while it loads. By node:http, since `fetch` brings a
 * client of some megabytes and takes several times as long, twice a second for each that loads.
 */
export function isHealthy({ host, port }: ServerAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host, port, path: '/health', agent: false, timeout: ANSWER_MS });
    const answer = (healthy: boolean): void => {
      clearTimeout(deadline);
      resolve(healthy);
      asked.destroy();
    };
    // The whole answer is to be there by then, however slowly it comes.
    const deadline = setTimeout(() => answer(false), ANSWER_MS);
    asked.once('response', (response) => {
      response.resume();
      response.once('end', () => answer(response.statusCode === 200));
      response.once('error', () => answer(false));
    });
    asked.once('error', () => answer(false));
    asked.end();
  });
}
