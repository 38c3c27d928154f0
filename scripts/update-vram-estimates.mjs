#!/usr/bin/env node
// Writes the `vram_estimate` of every catalogue entry whose header is bundled: what the estimator says for llama-server
// on Metal with the entry's own defaults, from a context of 8192 tokens (or the entry's, where that is less) to the
// entry's, in whole GB of 2^30 bytes, rounded outwards. Run `npm run build` first.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadCatalog } from '../dist/lib/catalog/load-catalog.js';
import { estimateMemory } from '../dist/lib/estimate/estimate-memory.js';
import { totalBytes } from '../dist/lib/estimate/memory-estimate.js';
import { describeModel } from '../dist/lib/model/describe-model.js';
import { readBundledHeader } from '../dist/lib/source/bundled-header.js';

const FILE = fileURLToPath(new URL('../catalog.yaml', import.meta.url));
const GIB = 2 ** 30;
const SHORT_CONTEXT = 8192;

let text = await readFile(FILE, 'utf8');
for (const { id, quantization, contextSize, mode } of await loadCatalog()) {
  const bundled = await readBundledHeader(id, quantization);
  if (bundled === undefined) {
    console.log(`${id}: no bundled header`);
    continue;
  }
  const shape = describeModel(bundled.header);
  const gigabytes = (ctxSize) => totalBytes(estimateMemory(shape, { accelerator: 'metal', ctxSize, mode })) / GIB;
  const low = Math.floor(gigabytes(Math.min(SHORT_CONTEXT, contextSize)));
  const high = Math.ceil(gigabytes(contextSize));
  const field = new RegExp(`(^  ${id.replaceAll('.', '\\.')}:\n(?:    .*\n)*?    vram_estimate: ).*$`, 'm');
  text = text.replace(field, `$1${low}-${high}GB`);
  console.log(`${id}: ${low}-${high}GB`);
}
await writeFile(FILE, text);
