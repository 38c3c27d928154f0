import type { MemoryCheck } from '../../preflight/memory-check.js';
import { shown } from '../../printable.js';
import { redactedSource } from '../../source/redacted-url.js';

/**
 * What a check is about, for people: the model as it was typed, or the file that was read instead of the one typed, since the quantization
 * that stands beside it is that one's. A catalogue's id is no file; its quantizations are told apart by what stands beside it.
 */
export function modelName({
  model,
  source,
  entry,
  resolved,
}: Pick<MemoryCheck, 'model' | 'source' | 'entry' | 'resolved'>): string {
  const isOther = resolved?.original !== undefined && (entry === undefined || resolved.isNamedFile === true);
  return shown(redactedSource(isOther ? source : model));
}
