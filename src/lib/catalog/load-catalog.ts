import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../errors.js';
import { shown } from '../printable.js';
import { readRegularFile } from '../read-regular-file.js';
import { whyNotRead } from '../system-words.js';
import { mergeCatalogs, type Catalog } from './catalog.js';

/** As many entries as are read, with all that they may say. */
const MAX_CATALOG_BYTES = 4 * 2 ** 20;

/** Made from `catalog.yaml` by the build, since parsing YAML costs a start-up what reading JSON does not. */
const COMPILED = new URL('../../catalog.json', import.meta.url);
const BUNDLED = new URL('../../../catalog.yaml', import.meta.url);

/**
 * The bundled catalogue, and on top of it the user's own when there is one.
 * @throws UsageError INVALID_CATALOG, CATALOG_UNREADABLE
 */
export async function loadCatalog(userFile?: string): Promise<Catalog> {
  const bundled = await loadBundled();
  return userFile === undefined ? bundled : mergeCatalogs(bundled, await loadYaml(userFile));
}

async function loadBundled(): Promise<Catalog> {
  // A small file of this program's own: to read it at once takes less than to wait for it.
  const entries = existsSync(COMPILED)
    ? (JSON.parse(readFileSync(COMPILED, 'utf8')) as Catalog)
    : await loadYaml(fileURLToPath(BUNDLED));
  return entries.map((entry) => ({ ...entry, bundled: true }));
}

async function loadYaml(file: string): Promise<Catalog> {
  const text = await readRegularFile(file, MAX_CATALOG_BYTES).catch((error: Error) => {
    const reason = whyNotRead(error) ?? shown(error.message);
    throw new UsageError('CATALOG_UNREADABLE', `the catalogue ${shown(file)} cannot be read: ${reason}`);
  });
  const { parseCatalog } = await import('./parse-catalog.js');
  return parseCatalog(text, file);
}
