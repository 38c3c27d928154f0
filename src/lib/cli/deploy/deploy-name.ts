import { parseShardName } from '../../gguf/names/shard-name.js';
import { maxNameLength } from '../../kube/bounds.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { looksLikeSource } from '../../source/model-source.js';

/** What has no letter or digit that a name may have. */
const UNNAMED = 'model';

/** Name for the resources of a model: as typed, or from the last part of a path, URL or repository. */
export function deployName(model: string, accelerator: Accelerator): string {
  return looksLikeSource(model) ? nameOfSource(model, maxNameLength(accelerator)) || UNNAMED : model.toLowerCase();
}

function nameOfSource(source: string, maxLength: number): string {
  const path = source.replace(/[?#].*$/, '');
  const last = path.slice(path.lastIndexOf('/') + 1);
  const stem = parseShardName(last)?.prefix ?? last.replace(/\.gguf$/i, '');
  return stem
    .toLowerCase()
    .replace(/-gguf(?=:|$)/, '')
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/-*\.[-.]*/g, '.')
    .replace(/^[-.]+/, '')
    .slice(0, maxLength)
    .replace(/[-.]+$/, '');
}
