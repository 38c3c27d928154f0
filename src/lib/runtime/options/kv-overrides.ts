import { UsageError } from '../../errors.js';
import type { MetadataScalar } from '../../gguf/header.js';

/** One entry of `--override-kv`: a value that llama.cpp reads in place of the header's. */
export interface KvOverride {
  readonly key: string;
  readonly value: MetadataScalar;
}

const FORM = /^([^=]{1,127})=(int|float|bool|str):(.*)$/s;

/**
 * `KEY=TYPE:VALUE`, several separated by commas: `string_parse_kv_override` in `common/common.cpp` of llama.cpp v0.5.0.
 * @throws UsageError INVALID_SERVER_OPTION
 */
export function parseKvOverrides(text: string): readonly KvOverride[] {
  return text.split(',').map((item) => {
    const [, key, type, value = ''] = FORM.exec(item) ?? [];
    const parsed = type === undefined ? undefined : valueOf(type, value);
    if (key === undefined || parsed === undefined) {
      throw new UsageError(
        'INVALID_SERVER_OPTION',
        `expects KEY=TYPE:VALUE with int, float, bool or str, not "${item}"`,
      );
    }
    return { key, value: parsed };
  });
}

function valueOf(type: string, text: string): MetadataScalar | undefined {
  if (type === 'str') return text;
  if (type === 'bool') return text === 'true' ? true : text === 'false' ? false : undefined;
  const number = type === 'int' ? /^[+-]?\d+/.exec(text)?.[0] : text;
  return number === undefined || number.trim() === '' || Number.isNaN(Number(number)) ? undefined : Number(number);
}
