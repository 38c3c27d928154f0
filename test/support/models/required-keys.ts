import type { GgufHeader, MetadataValue } from '../../../src/lib/gguf/header.js';
import { KEYS_READ, KEYS_WITH_BAD_DEFAULTS } from '../../../src/lib/model/loading/key-table.js';

const VALUES: Readonly<Record<string, MetadataValue>> = { f32: 1, f32s: 1, u32: 0, u32s: 0, i32x4: 0, bool: false };
/** Of which nothing is no value: without a function experts are not chosen. */
const LEAST: Readonly<Record<string, number>> = { expert_gating_func: 1, 'hyper_connection.sinkhorn_iterations': 1 };

/** A made-up header with whatever else its architecture's loader asks for, as nothing where that is possible. */
export function withRequiredKeys(header: GgufHeader): GgufHeader {
  const architecture = String(header.metadata.get('general.architecture'));
  const lines = `${KEYS_READ}${KEYS_WITH_BAD_DEFAULTS}`.replaceAll('\n  ', ' ').split('\n');
  const asked = lines
    .map((line) => line.split(': '))
    .filter(([, names = '']) => names.split(' ').includes(architecture))
    .flatMap(([head = '']) => {
      const words = head.split(' ');
      const value = VALUES[words.at(-1) ?? ''] ?? [];
      return words.slice(0, -1).map((key): [string, MetadataValue] => [`${architecture}.${key}`, LEAST[key] ?? value]);
    });
  return { ...header, metadata: new Map([...asked, ...header.metadata]) };
}
