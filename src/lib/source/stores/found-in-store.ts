import { printable } from '../../printable.js';
import type { ModelSource } from '../model-source.js';

/** What a name in a store stands for: a file of this machine, or one at an address. */
export interface FoundInStore {
  readonly source: Extract<ModelSource, { kind: 'file' | 'http' }>;
  /** A sentence on what was chosen, and where it lies. */
  readonly chosen: string;
  /** In a repository, where it is one. */
  readonly file?: string;
  readonly commit?: string;
}

/** A path as a message names it: whole, so that it can be copied, each of its names made harmless. */
export function printablePath(path: string): string {
  return path.split('/').map(printable).join('/');
}
