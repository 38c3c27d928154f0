import { printable } from '../../printable.js';
import { type Credential, percentDecoded } from '../hub/hub-urls.js';
import { redactedUrl } from '../redacted-url.js';
import { SourceError } from '../source-error.js';
import type { HttpAnswer } from './http-answer.js';
import { RetryableFailure, retryAfterMs } from './retry.js';

/** Statuses that another attempt may turn into success: time-outs, rate limits, a server that is restarting. */
const WORTH_RETRYING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** What was sent, as far as it explains an answer. */
export interface SentRequest {
  readonly credential?: Credential | undefined;
  /** As `RefusedAnswer` has it. */
  readonly repository?: string | undefined;
}

/** The error for an answer that is not what was asked for; a `RetryableFailure` where another attempt may bring that. */
export function refusalOf(answer: HttpAnswer, { credential, repository }: SentRequest): Error {
  const { url, status } = answer;
  const tokenSent = credential?.origin === url.origin;
  const error = statusError({ url, status, reason: answer.header('x-error-code'), repository, tokenSent });
  if (!WORTH_RETRYING.has(status)) return error;
  return new RetryableFailure(error, retryAfterMs(answer.header('retry-after'), Date.now()));
}

interface RefusedAnswer {
  readonly url: URL;
  readonly status: number;
  /** `X-Error-Code`, by which Hugging Face tells apart what the status does not. */
  readonly reason: string | undefined;
  /** What was asked of a Hugging Face endpoint, such as `owner/name`; undefined for any other server. */
  readonly repository?: string | undefined;
  readonly tokenSent: boolean;
}

/** The error for a status that is not an answer, saying what to do. */
function statusError(answer: RefusedAnswer): SourceError {
  const { status, url } = answer;
  const where = redactedUrl(url);
  if (status === 429) {
    return new SourceError(
      'SOURCE_RATE_LIMITED',
      `${where}: ${url.host} answers 429, too many requests; ${calmDown(answer)}`,
    );
  }
  if (answer.repository !== undefined) return hubError(answer, answer.repository);
  if (status === 401) {
    return new SourceError(
      'SOURCE_UNAUTHORIZED',
      `${where} wants a login (401); use an address that can be read without one`,
    );
  }
  if (status === 403) {
    return new SourceError('SOURCE_FORBIDDEN', `${where} may not be read from here (403); ask its owner for access`);
  }
  if (status === 404 || status === 410) {
    return new SourceError('SOURCE_NOT_FOUND', `${where} does not exist (${status}); check the address`);
  }
  return new SourceError(
    'SOURCE_HTTP_STATUS',
    `${where} cannot be read: ${url.host} answers ${status}; try again later`,
  );
}

function calmDown(answer: RefusedAnswer): string {
  const hub = answer.repository !== undefined && !answer.tokenSent;
  return hub ? 'wait some minutes, or set HF_TOKEN for a higher limit' : 'wait some minutes and try again';
}

/** Hugging Face answers 401 for what does not exist, too. */
function hubError(answer: RefusedAnswer, repository: string): SourceError {
  const { status, url, reason, tokenSent } = answer;
  const page = `${url.origin}/${repository}`;
  if (reason === 'GatedRepo' || status === 403) {
    const step = tokenSent ? 'with the account of HF_TOKEN' : 'and set HF_TOKEN to a token of the same account';
    return new SourceError(
      'SOURCE_FORBIDDEN',
      `${repository} is gated (${status}): accept its terms at ${page} ${step}`,
    );
  }
  if (status === 401) {
    const problem = tokenSent
      ? `${url.host} does not accept HF_TOKEN for ${repository} (401): the token is wrong or expired, or the repository does not exist`
      : `${repository} does not exist or is private (401): check its name, or set HF_TOKEN to a token that may read it`;
    return new SourceError('SOURCE_UNAUTHORIZED', problem);
  }
  if (status === 404) {
    const what =
      reason === 'EntryNotFound'
        ? `${repository} has no file ${printable(percentDecoded(url.pathname.split('/resolve/')[1]?.split('/').slice(1).join('/') ?? ''))}`
        : reason === 'RevisionNotFound'
          ? `${repository} has no such revision`
          : `${repository}, or the file in it, does not exist`;
    return new SourceError('SOURCE_NOT_FOUND', `${what} (404); see what there is at ${page}`);
  }
  return new SourceError(
    'SOURCE_HTTP_STATUS',
    `${repository} cannot be read: ${url.host} answers ${status}; try again later`,
  );
}
