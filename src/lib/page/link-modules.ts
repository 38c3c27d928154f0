import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A compiled ES module, and the bare name that the others import it by. */
export interface LinkedModule {
  readonly name: string;
  readonly code: string;
}

/** `import … from './x.js'`, `export … from './x.js'` and `import './x.js'`, as tsc writes them: one statement a line. */
const IMPORT = /^((?:import|export)\b[^'"\n]*?)(['"])([^'"\n]+)\2;$/gm;
/** What would end, or confuse the end of, the script element that a module is put into. */
const UNSAFE_IN_SCRIPT = /<!--|<\/?script/i;

/**
 * A compiled module and all that it imports, found by following its imports, under bare names (`llmkube/lib/…`): modules
 * in a page cannot import each other by relative paths.
 * @param root the folder that names are relative to, as a file URL that ends in a slash
 */
export async function linkModules(root: URL, entry: string): Promise<readonly LinkedModule[]> {
  const linked = new Map<string, LinkedModule>();
  const waiting = [new URL(entry, root)];
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    const name = moduleName(root, url);
    if (linked.has(name)) continue;
    const base = url;
    const code = (await readFile(url, 'utf8')).replace(IMPORT, (_all, head: string, quote: string, path: string) => {
      if (!path.startsWith('.')) throw new Error(`${name} imports ${path}, which no page can load`);
      const imported = new URL(path, base);
      waiting.push(imported);
      return `${head}${quote}${moduleName(root, imported)}${quote};`;
    });
    if (UNSAFE_IN_SCRIPT.test(code)) throw new Error(`${name} contains what cannot stand in a script element`);
    linked.set(name, { name, code });
  }
  return [...linked.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function moduleName(root: URL, url: URL): string {
  return `llmkube/${relative(fileURLToPath(root), fileURLToPath(url)).replaceAll('\\', '/')}`;
}
