import { CheckIncompleteError } from '../errors.js';

/** What can be wrong with the bytes of a GGUF header. */
export type GgufErrorCode =
  | 'GGUF_NOT_GGUF'
  | 'GGUF_VERSION_UNSUPPORTED'
  | 'GGUF_TRUNCATED'
  | 'GGUF_LIMIT_EXCEEDED'
  | 'GGUF_METADATA_INVALID'
  | 'GGUF_TENSOR_INVALID'
  | 'GGUF_TENSOR_TYPE_UNKNOWN'
  | 'GGUF_SHARDS_INVALID'
  | 'GGUF_DIGEST_INVALID';

/** The header cannot be trusted, so nothing can be said about the model. */
export class GgufError extends CheckIncompleteError {
  constructor(
    override readonly code: GgufErrorCode,
    message: string,
  ) {
    super(code, message);
  }
}

/** A count in words: a number beyond 2^53 is only the nearest that there is. */
export function countInWords(count: number): string {
  return Number.isSafeInteger(count) ? String(count) : `about ${count}`;
}
