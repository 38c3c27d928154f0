import { printable } from '../../printable.js';
import { Unreached } from './contact.js';
import { type HttpAnswer, type RequestContext, unreachedFailure } from './http-answer.js';
import { type SendRequest, sendRequest } from './http-request.js';
import type { Credential } from '../hub/hub-urls.js';
import { redactedUrl } from '../redacted-url.js';
import { SourceError } from '../source-error.js';

/** Hugging Face needs two: renamed repository, content network. */
const MAX_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface Request {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Goes to its own origin only, however often redirects come and go. */
  readonly credential?: Credential | undefined;
  /** Sees each redirect before it is followed; true ends the chase there. */
  readonly stopAt?: (redirect: HttpAnswer) => Promise<boolean>;
  /** The client; Node's own unless another is better. */
  readonly send?: SendRequest;
}

/**
 * The first answer that is not a redirect, or the redirect that `stopAt` chose. Never leaves HTTP, never gives up
 * encryption, never goes from a public address to a private one: a server outside must not make this machine ask
 * servers inside. From nowhere does it go to where this machine is told its own secrets, unless that was asked for.
 */
export async function followRedirects(request: Request, context: RequestContext): Promise<HttpAnswer> {
  const { send = sendRequest } = request;
  let url = request.url;
  for (let redirects = 0; ; redirects++) {
    const { credential } = request;
    const authorization = credential?.origin === url.origin ? { authorization: credential.authorization } : {};
    const answer = await send(url, { ...request.headers, ...authorization }, context);
    if (!REDIRECTS.has(answer.status)) return answer;
    try {
      if ((await request.stopAt?.(answer)) === true) return answer;
      if (redirects === MAX_REDIRECTS) {
        throw badRedirect(request.url, `leads from redirect to redirect, more than ${MAX_REDIRECTS} times`);
      }
      url = await nextUrl(answer, request.url, context);
    } catch (error) {
      answer.close();
      throw error;
    }
    await answer.discard();
  }
}

/** @param asked where the first request went, which somebody has chosen */
async function nextUrl(answer: HttpAnswer, asked: URL, context: RequestContext): Promise<URL> {
  const location = answer.header('location') ?? '';
  if (location === '' || !URL.canParse(location, answer.url.href)) {
    throw badRedirect(answer.url, `redirects (${answer.status}) without saying where to`);
  }
  const next = new URL(location, answer.url);
  if (next.protocol !== 'http:' && next.protocol !== 'https:') {
    throw badRedirect(answer.url, `redirects to a ${printable(next.protocol)} address, which is never followed`);
  }
  if (answer.url.protocol === 'https:' && next.protocol === 'http:') {
    throw badRedirect(answer.url, `redirects to ${printable(next.host)} without encryption, which is not followed`);
  }
  next.username = '';
  next.password = '';
  if (next.host === answer.url.host) return next;
  if ((await leads('leadsInside', next, context)) && !(await leads('leadsInside', answer.url, context))) {
    throw badRedirect(answer.url, `redirects to the private address ${printable(next.host)}, which is not followed`);
  }
  if ((await leads('leadsToOwn', next, context)) && !(await leads('leadsToOwn', asked, context))) {
    const problem = `redirects to ${printable(next.host)}, an address that this machine has to itself, which is not followed`;
    throw badRedirect(answer.url, problem);
  }
  return next;
}

async function leads(where: 'leadsInside' | 'leadsToOwn', url: URL, context: RequestContext): Promise<boolean> {
  try {
    return await context.network[where](url, context.signal);
  } catch (error) {
    throw error instanceof Unreached ? unreachedFailure(error, url, context) : error;
  }
}

function badRedirect(url: URL, problem: string): SourceError {
  return new SourceError('SOURCE_BAD_REDIRECT', `${redactedUrl(url)} ${problem}; check the address`);
}
