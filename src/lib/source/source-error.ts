import { CheckIncompleteError } from '../errors.js';

/** Why the bytes of a header could not be had. */
export type SourceErrorCode =
  | 'SOURCE_FILE_UNREADABLE'
  | 'SOURCE_NOT_FIRST_PART'
  | 'SOURCE_UNSUPPORTED'
  | 'SOURCE_OFFLINE'
  | 'SOURCE_CANCELLED'
  | 'SOURCE_UNREACHABLE'
  | 'SOURCE_TIMEOUT'
  | 'SOURCE_UNAUTHORIZED'
  | 'SOURCE_FORBIDDEN'
  | 'SOURCE_NOT_FOUND'
  | 'SOURCE_RATE_LIMITED'
  | 'SOURCE_HTTP_STATUS'
  | 'SOURCE_NO_RANGES'
  | 'SOURCE_BAD_RESPONSE'
  | 'SOURCE_BAD_REDIRECT'
  | 'SOURCE_CHANGED'
  | 'SOURCE_NO_SUCH_QUANTIZATION';

/** The model's header could not be read; nothing can be said about the model. */
export class SourceError extends CheckIncompleteError {
  constructor(
    override readonly code: SourceErrorCode,
    message: string,
    options: { suggestions?: readonly string[]; cause?: unknown } = {},
  ) {
    super(code, message, options);
  }
}
