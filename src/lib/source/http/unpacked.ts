import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** What a client sends that takes packed answers; lists shrink to a tenth. */
export const TAKES_PACKED = { 'accept-encoding': 'gzip' } as const;

/** An answer's body as it was before it was packed. What breaks on the way, or is not packed as it says, ends it with an error. */
export function unpacked(answer: IncomingMessage): Readable {
  if (!/^(x-)?gzip$/i.test(answer.headers['content-encoding'] ?? '')) return answer;
  return pipeline(answer, createGunzip(), () => undefined);
}
