import { parseBoundedJson } from '../../bounded-json.js';
import { printable } from '../../printable.js';
import type { Credential } from '../hub/hub-urls.js';
import { redactedUrl } from '../redacted-url.js';
import { SourceError } from '../source-error.js';
import { followRedirects } from './follow-redirects.js';
import type { HttpAnswer, RequestContext } from './http-answer.js';
import { sendForPacked } from './http-request.js';
import { refusalOf } from './http-status.js';
import { type RetryPolicy, withRetries } from './retry.js';

/** Repositories with a thousand files list them in about 300 KB. */
const MAX_BYTES = 4 * 2 ** 20;

export interface JsonRequest {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly credential?: Credential | undefined;
  /** What is asked of a Hugging Face endpoint: its answers are explained. */
  readonly repository?: string;
  /** What is read, and what to look at when it is not JSON, for messages. */
  readonly what: string;
  readonly check: string;
}

/**
 * One JSON answer, of bounded length.
 * @throws SourceError for any other
 */
export async function getJson(request: JsonRequest, context: RequestContext, policy: RetryPolicy): Promise<unknown> {
  const { url, headers, credential } = request;
  return withRetries(
    async () => {
      const answer = await followRedirects(
        { url, credential, send: sendForPacked, ...(headers === undefined ? {} : { headers }) },
        context,
      );
      try {
        if (answer.status !== 200) throw refusalOf(answer, request);
        return await readJson(answer, request);
      } finally {
        answer.close();
      }
    },
    policy,
    context.signal,
  );
}

async function readJson(answer: HttpAnswer, request: JsonRequest): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  await answer.read((chunk) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw badAnswer(answer, request, `is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
    return false;
  });
  try {
    return parseBoundedJson(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw badAnswer(answer, request, 'is not JSON');
  }
}

function badAnswer(answer: HttpAnswer, { what, check }: JsonRequest, problem: string): SourceError {
  const message = `${redactedUrl(answer.url)}: ${what} that ${printable(answer.url.host)} sends ${problem}`;
  return new SourceError('SOURCE_BAD_RESPONSE', `${message}; check ${check}`);
}
