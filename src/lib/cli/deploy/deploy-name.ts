import { parseShardName } from '../../gguf/shard-name.js';
import { looksLikeSource } from '../../source/model-source.js';

const MAX_LENGTH = 63;

/** Name for the resources of a model: as typed, or from the last part of a path, URL or repository. */
export function deployName(model: string): string {
  return looksLikeSource(model) ? nameOfSource(model) : model.toLowerCase();
}

function nameOfSource(source: string): string {
  const path = source.replace(/[?#].*$/, '');
  const last = path.slice(path.lastIndexOf('/') + 1);
  const stem = parseShardName(last)?.prefix ?? last.replace(/\.gguf$/i, '');
  return stem
    .toLowerCase()
    .replace(/-gguf(?=:|$)/, '')
    .replace(/[^a-z0-9.]+/g, '-')
    .slice(0, MAX_LENGTH)
    .replace(/^[-.]+|[-.]+$/g, '');
}
