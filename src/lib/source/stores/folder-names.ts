import { readdir } from 'node:fs';
import type { Environment } from '../http/proxies.js';
import { hubCacheFolders, llamaCacheFolders } from './folders.js';

/**
 * What lies in folders of this machine, each listed once: of the thousands of names in a catalogue, most are of nothing that is there, and asking
 * for each takes longer than everything else.
 */
export class FolderNames {
  /** Where downloads from the hub are kept. */
  readonly hubCaches: readonly string[];
  /** Where llama.cpp kept them before. */
  readonly llamaCaches: readonly string[];
  readonly #names = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(env: Environment) {
    this.hubCaches = hubCacheFolders(env);
    this.llamaCaches = llamaCacheFolders(env);
  }

  /** None where there is no such folder. */
  in(folder: string): Promise<ReadonlySet<string>> {
    const known = this.#names.get(folder);
    if (known !== undefined) return known;
    const names = new Promise<ReadonlySet<string>>((resolve) => {
      readdir(folder, (error, found) => resolve(new Set(error === null ? found : [])));
    });
    this.#names.set(folder, names);
    return names;
  }
}
