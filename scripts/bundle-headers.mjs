#!/usr/bin/env node
// Writes headers/, the digests that answer when a model's source cannot be reached.
//
//   node scripts/bundle-headers.mjs PROFILES [FOLDER]
//
// FOLDER is written in place of headers/. What there is no profile of stays as it is; a digest whose entry the catalogue has no more is removed.
//
// PROFILES is a folder of JSON files, each the header of one model of the catalogue: `id`, `quantization`,
// `metadata` ([key, value, type]), `tensors` ({name, dims, type, blocks: "0-3,7"}), `publishedFileBytes` and
// `headerBytes` where the published file's are known, and `factsFromMemory`: what was not verified. Only profiles
// without such entries are bundled. The profile of an entry's projector has the id `mmproj-` with the entry's. Run
// `npm run build` first.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findEntry } from '../dist/lib/catalog/catalog.js';
import { loadCatalog } from '../dist/lib/catalog/load-catalog.js';
import { toDigest } from '../dist/lib/gguf/digest/digest.js';
import { ggmlTypeByName } from '../dist/lib/gguf/ggml-types.js';
import { PROJECTOR } from '../dist/lib/source/bundled-header.js';
import { TensorLayout, tensorBytes } from '../dist/lib/gguf/tensor-layout.js';

const ALIGNMENT_BYTES = 32;

/** "0-3,7" gives 0, 1, 2, 3, 7. */
function blockNumbers(text) {
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** In file order: those outside the blocks by name, then block by block, by name. */
function tensorsOf(profile) {
  const all = profile.tensors.flatMap(({ name, dims, type, blocks }) =>
    blocks === undefined
      ? [{ block: -1, name, dims, type }]
      : blockNumbers(blocks).map((block) => ({ block, name: name.replace('{i}', block), dims, type })),
  );
  return all.sort((a, b) => a.block - b.block || (a.name < b.name ? -1 : 1));
}

function headerOf(profile) {
  const layout = new TensorLayout(profile.headerBytes ?? 0, ALIGNMENT_BYTES);
  const tensors = tensorsOf(profile).map(({ name, dims, type: typeName }) => {
    const type = ggmlTypeByName(typeName);
    const bytes = tensorBytes(dims, type);
    return { name, dims, type, file: 0, offsetBytes: layout.next(bytes), bytes };
  });
  const metadata = new Map(profile.metadata.map(([key, value]) => [key, value]));
  metadata.set('tokenizer.ggml.tokens', { skipped: true, length: profile.tokenizer.vocab });
  const files = [{ bytes: profile.publishedFileBytes ?? undefined, dataOffsetBytes: layout.dataOffsetBytes }];
  return { version: 3, byteOrder: 'little', metadata, tensors, files };
}

const [folder, output = fileURLToPath(new URL('../headers/', import.meta.url))] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node scripts/bundle-headers.mjs PROFILES');

const catalog = await loadCatalog();
await mkdir(output, { recursive: true });
const written = new Set();
for (const file of (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()) {
  const profile = JSON.parse(await readFile(join(folder, file), 'utf8'));
  const isProjector = profile.architecture === 'clip';
  const entry = findEntry(catalog, isProjector ? profile.id.replace(/^mmproj-/, '') : profile.id);
  if (entry === undefined || profile.factsFromMemory.length > 0) continue;
  const quantization = isProjector ? PROJECTOR : profile.quantization;
  const bundled = {
    id: entry.id,
    quantization,
    derived: 'from the published file size and the quantization recipe, not read from the file',
    digest: toDigest(headerOf(profile)),
  };
  const name = `${entry.id}.${quantization}.json`;
  await writeFile(join(output, name), `${JSON.stringify(bundled)}\n`);
  written.add(name);
  console.log(name);
}
for (const name of (await readdir(output)).filter((one) => one.endsWith('.json') && !written.has(one))) {
  const { id } = JSON.parse(await readFile(join(output, name), 'utf8'));
  const isKept = catalog.some((entry) => entry.id === id);
  if (!isKept) await rm(join(output, name));
  console.log(
    `${name}: ${isKept ? 'kept, for there is no profile of it' : 'removed, for the catalogue has no such entry'}`,
  );
}
