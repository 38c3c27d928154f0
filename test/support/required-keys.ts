import type { GgufHeader, MetadataValue } from '../../src/lib/gguf/header.js';
import { KEYS_WITH_BAD_DEFAULTS, REQUIRED_KEYS } from '../../src/lib/model/loading/key-table.js';

const VALUES: Readonly<Record<string, MetadataValue>> = { f32: 1, u32: 0, f32s: 1, u32s: 0, bool: false, list: [] };

/** A made-up header with whatever else its architecture's loader asks for, as nothing where that is possible. */
export function withRequiredKeys(header: GgufHeader): GgufHeader {
  const architecture = String(header.metadata.get('general.architecture'));
  const lines = `${REQUIRED_KEYS}${KEYS_WITH_BAD_DEFAULTS}`.replaceAll('\n  ', ' ').split('\n');
  const asked = lines
    .map((line) => line.split(': '))
    .filter(([, names = '']) => names.split(' ').includes(architecture))
    .map(([head = '']): [string, MetadataValue] => {
      const [key = '', type = ''] = head.split(' ');
      return [`${architecture}.${key}`, VALUES[type] ?? 0];
    });
  return { ...header, metadata: new Map([...asked, ...header.metadata]) };
}
