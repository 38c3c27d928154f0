import type { MetadataValue } from '../../gguf/header.js';
import type { ModelShape } from '../model-shape.js';

/** What names a file and tells of it, and nothing of how the model is built. */
const OF_THE_FILE = /^general\./;

/**
 * A model, where its header says the same of how it is built as another quantization's, with that one's very hparams: by those it is
 * known that what was found out of the one holds of the other.
 */
export function asQuantizationOf(known: ModelShape, read: ModelShape): ModelShape {
  return isBuiltAlike(known, read) ? { ...read, hparams: known.hparams } : read;
}

function isBuiltAlike(a: ModelShape, b: ModelShape): boolean {
  if (a.architecture !== b.architecture || a.tensors.size !== b.tensors.size) return false;
  for (const { name, dims } of a.tensors.values()) if (!isSame(dims, b.tensors.get(name)?.dims)) return false;
  const [own, others] = [aboutTheModel(a), aboutTheModel(b)];
  return own.length === others.length && own.every(([key, value]) => isSame(value, b.keys.metadata.get(key)));
}

function aboutTheModel({ keys }: ModelShape): readonly (readonly [string, MetadataValue])[] {
  return [...keys.metadata].filter(([key]) => !OF_THE_FILE.test(key));
}

function isSame(a: MetadataValue | undefined, b: MetadataValue | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if ('skipped' in a || 'skipped' in b) return 'skipped' in a && 'skipped' in b && a.length === b.length;
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
