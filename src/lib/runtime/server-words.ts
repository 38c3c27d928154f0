import { CheckIncompleteError, UsageError } from '../errors.js';
import { printable } from '../printable.js';
import { valueCount } from './options/option-names.js';
import { normaliseOptionName } from './options/server-options.js';

/** One option as it was written, and what followed it. */
export interface ServerWord {
  readonly name: string;
  readonly values: readonly string[];
}

/**
 * A command line as llama-server splits it (`common_params_parse_ex`, `common/arg.cpp`): a value is whatever follows an option that
 * takes one, even if it looks like an option.
 * @throws CheckIncompleteError OPTION_UNKNOWN, for after an option that is not known nothing is
 * @throws UsageError INVALID_SERVER_OPTION for one without its value
 */
export function readServerWords(words: readonly string[]): readonly ServerWord[] {
  const read: ServerWord[] = [];
  for (let at = 0; at < words.length;) {
    const name = normaliseOptionName(words[at] ?? '');
    const count = valueCount(name);
    if (count === undefined) {
      throw new CheckIncompleteError(
        'OPTION_UNKNOWN',
        `${printable(name)} is no option of llama-server that is known here, so what it would load is not known`,
      );
    }
    const values = words.slice(at + 1, at + 1 + count);
    if (values.length < count) {
      throw new UsageError('INVALID_SERVER_OPTION', `llama-server's ${name} expects a value, and nothing follows it`);
    }
    read.push({ name, values });
    at += 1 + count;
  }
  return read;
}
