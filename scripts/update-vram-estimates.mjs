#!/usr/bin/env node
// Writes the `vram_estimate` of every catalogue entry whose header is bundled: what `llmkube catalog validate` calls true.
// Run `npm run build` first.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadCatalog } from '../dist/lib/catalog/load-catalog.js';
import { catalogFigures } from '../dist/lib/preflight/catalog/catalog-figures.js';
import { formatVramEstimate } from '../dist/lib/preflight/catalog/vram-estimate.js';
import { PROJECTOR, readBundledHeader } from '../dist/lib/source/bundled-header.js';

const FILE = fileURLToPath(new URL('../catalog.yaml', import.meta.url));

let text = await readFile(FILE, 'utf8');
for (const entry of await loadCatalog()) {
  const { id, quantization } = entry;
  const bundled = readBundledHeader(id, quantization);
  if (bundled === undefined) {
    console.log(`${id}: no bundled header`);
    continue;
  }
  const projector = entry.mmproj === undefined ? undefined : readBundledHeader(id, PROJECTOR);
  const headers = { model: bundled.header, projector: projector?.header };
  const estimate = formatVramEstimate(catalogFigures(entry, headers));
  const field = new RegExp(`(^  ${id.replaceAll('.', '\\.')}:\n(?:    .*\n)*?    vram_estimate: ).*$`, 'm');
  text = text.replace(field, `$1${estimate}`);
  console.log(`${id}: ${estimate}`);
}
await writeFile(FILE, text);
