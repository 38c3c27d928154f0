import { GgufHeaderParser } from '../gguf/header-parser.js';
import type { GgufHeader } from '../gguf/header.js';
import { followRedirects } from './http/follow-redirects.js';
import type { HttpAnswer, RequestContext } from './http/http-answer.js';
import { refusalOf } from './http/http-status.js';
import type { Credential } from './hub/hub-urls.js';
import { checkRangeAnswer, refuseWholeFile } from './http/range-answer.js';
import { redactedUrl } from './redacted-url.js';
import { RetryableFailure, type RetryPolicy, withRetries } from './http/retry.js';
import { SourceError } from './source-error.js';

/** One request covers any published header twice over; a proxy that reads ahead does not read 20 GB. */
const RANGE_BYTES = 32 * 2 ** 20;

/** A file that changes more often while its header is read is being written. */
const MAX_RESTARTS = 2;

export interface RemoteFile {
  readonly url: URL;
  readonly credential?: Credential | undefined;
  /** `owner/name` for a file on the Hugging Face hub. */
  readonly repository?: string | undefined;
  /** An `ETag` whose header is known already. */
  readonly knownEtag?: string | undefined;
  /** Looks at the first answer (a redirect, often): true when the header is known already and nothing need be read. */
  readonly isKnown?: (answer: HttpAnswer) => Promise<boolean>;
}

export type RemoteResult =
  { readonly known: true } | { readonly known: false; readonly header: GgufHeader; readonly etag: string | undefined };

/**
 * Reads the header of one remote file: bytes go to the parser as they arrive, and the transfer ends with the last tensor
 * info. Resumes a transfer that broke, and starts over when the file changed meanwhile.
 */
export async function readRemoteHeader(
  file: RemoteFile,
  context: RequestContext,
  policy: RetryPolicy,
  onProgress?: (receivedBytes: number) => void,
): Promise<RemoteResult> {
  const transfer = new Transfer(file, context, onProgress);
  for (;;) {
    const result = await withRetries(() => transfer.advance(), policy, context.signal);
    if (result !== undefined) return result;
  }
}

class Transfer {
  readonly #file: RemoteFile;
  readonly #context: RequestContext;
  readonly #onProgress: ((receivedBytes: number) => void) | undefined;
  #parser: GgufHeaderParser | undefined;
  #receivedBytes = 0;
  #fileBytes: number | undefined;
  #etag: string | undefined;
  #restarts = 0;

  constructor(file: RemoteFile, context: RequestContext, onProgress?: (receivedBytes: number) => void) {
    this.#file = file;
    this.#context = context;
    this.#onProgress = onProgress;
  }

  /** One request; undefined when another is needed. */
  async advance(): Promise<RemoteResult | undefined> {
    if (this.#receivedBytes > 0 && this.#etag === undefined) this.#restart();
    let known = false;
    const isKnown = async (answer: HttpAnswer): Promise<boolean> =>
      (known ||= this.#receivedBytes === 0 && (await this.#file.isKnown?.(answer)) === true);
    const answer = await followRedirects(
      { url: this.#file.url, headers: this.#headers(), credential: this.#file.credential, stopAt: isKnown },
      this.#context,
    );
    try {
      const isUnchanged = answer.status === 304 && this.#file.knownEtag !== undefined && this.#receivedBytes === 0;
      if (known || isUnchanged || (answer.status === 206 && (await isKnown(answer)))) return { known: true };
      if (answer.status === 206) return await this.#read(answer);
      if (answer.status !== 200) throw this.#refusal(answer);
      if (this.#receivedBytes === 0) refuseWholeFile(answer);
      this.#restart();
      return undefined;
    } finally {
      answer.close();
    }
  }

  #headers(): Record<string, string> {
    const from = this.#receivedBytes;
    const range = { range: `bytes=${from}-${from + RANGE_BYTES - 1}` };
    if (from > 0 && this.#etag !== undefined) return { ...range, 'if-range': this.#etag };
    return this.#file.knownEtag === undefined ? range : { ...range, 'if-none-match': this.#file.knownEtag };
  }

  async #read(answer: HttpAnswer): Promise<RemoteResult | undefined> {
    const from = this.#receivedBytes;
    const range = checkRangeAnswer(answer, from);
    if (from > 0 && (range.fileBytes !== this.#fileBytes || range.etag !== this.#etag)) {
      this.#restart();
      return undefined;
    }
    this.#fileBytes = range.fileBytes;
    this.#etag = range.etag;
    this.#parser ??= new GgufHeaderParser(redactedUrl(this.#file.url), range.fileBytes);
    const parser = this.#parser;
    const done = await answer.read((chunk) => {
      this.#receivedBytes += chunk.length;
      this.#onProgress?.(this.#receivedBytes);
      return parser.push(chunk);
    });
    if (done) return { known: false, header: parser.end(), etag: range.etag };
    if (this.#receivedBytes !== from + range.bytes) {
      const { url } = answer;
      const message = `cannot read ${redactedUrl(url)}: ${url.host} sent more or fewer bytes than it announced; try again`;
      throw new RetryableFailure(new SourceError('SOURCE_BAD_RESPONSE', message));
    }
    if (this.#receivedBytes >= (this.#fileBytes ?? Infinity)) parser.end();
    return undefined;
  }

  #refusal(answer: HttpAnswer): Error {
    const { url, status } = answer;
    if (status === 416) {
      const message = `${redactedUrl(url)}: ${url.host} says that the file has no byte ${this.#receivedBytes}; it is empty or was cut`;
      return new SourceError('SOURCE_BAD_RESPONSE', message);
    }
    return refusalOf(answer, this.#file);
  }

  #restart(): void {
    if (++this.#restarts > MAX_RESTARTS) {
      const message = `${redactedUrl(this.#file.url)} keeps changing or cannot be resumed; try again later`;
      throw new SourceError('SOURCE_CHANGED', message);
    }
    this.#parser = undefined;
    this.#receivedBytes = 0;
    this.#fileBytes = undefined;
    this.#etag = undefined;
  }
}
