import { printable } from '../../printable.js';
import type { HttpAnswer } from './http-answer.js';
import { redactedUrl } from '../redacted-url.js';
import { SourceError } from '../source-error.js';

/** What a server said it sends. */
export interface RangeAnswer {
  /** Size of the whole file; undefined when the server does not know it (`bytes 0-99/*`). */
  readonly fileBytes: number | undefined;
  /** Bytes that this answer holds. */
  readonly bytes: number;
  /** A strong `ETag`, by which a later range can be asked for on condition. */
  readonly etag: string | undefined;
}

/** Holds a 206 against what was asked for (`from`, the first byte); throws `SOURCE_BAD_RESPONSE` when it lies. */
export function checkRangeAnswer(answer: HttpAnswer, from: number): RangeAnswer {
  const encoding = answer.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw bad(answer, `sends the file compressed (${printable(encoding)}), though that was not asked for`);
  refusePage(answer);
  const type = answer.header('content-type') ?? '';
  if (/^multipart\//i.test(type)) throw bad(answer, 'sends several ranges though one was asked for');
  const text = answer.header('content-range');
  if (text === undefined) throw bad(answer, 'sends a part of the file without saying which (no Content-Range)');
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text.trim());
  const [first, last, total] = [
    Number(match?.[1]),
    Number(match?.[2]),
    match?.[3] === '*' ? Infinity : Number(match?.[3]),
  ];
  const valid = match !== null && first === from && first <= last && last < total;
  if (!valid) throw bad(answer, `sends another part of the file than asked for (Content-Range: ${printable(text)})`);
  const bytes = last - first + 1;
  const length = answer.header('content-length');
  if (length !== undefined && Number(length) !== bytes) {
    throw bad(answer, `contradicts itself: ${printable(length)} bytes by Content-Length, ${bytes} by Content-Range`);
  }
  const etag = answer.header('etag');
  return {
    fileBytes: total === Infinity ? undefined : total,
    bytes,
    etag: etag?.startsWith('"') === true ? etag : undefined,
  };
}

/** A 200 where a part was asked for: the whole file, many GB perhaps, would follow. @throws SourceError */
export function refuseWholeFile(answer: HttpAnswer): never {
  refusePage(answer);
  throw new SourceError(
    'SOURCE_NO_RANGES',
    `${redactedUrl(answer.url)}: ${answer.url.host} sends the whole file instead of the part asked for; ` +
      'reading stopped at once; serve it from a server that supports range requests, or give a local path',
  );
}

function refusePage(answer: HttpAnswer): void {
  const isPage = /^text\/html/i.test(answer.header('content-type') ?? '');
  if (isPage) throw bad(answer, 'sends a web page instead of a file; check the address');
}

function bad(answer: HttpAnswer, problem: string): SourceError {
  return new SourceError('SOURCE_BAD_RESPONSE', `${redactedUrl(answer.url)}: ${answer.url.host} ${problem}`);
}
