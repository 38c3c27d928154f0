#!/usr/bin/env node
// What the build makes beside the compiled code, both so that a start-up reads JSON instead of working it out:
// dist/catalog.json from catalog.yaml, and oclif.manifest.json from the commands.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Plugin } from '@oclif/core';
import { parseCatalog } from '../dist/lib/catalog/parse-catalog.js';

const root = fileURLToPath(new URL('..', import.meta.url));

const catalog = parseCatalog(await readFile(`${root}/catalog.yaml`, 'utf8'), 'catalog.yaml');
await writeFile(`${root}/dist/catalog.json`, JSON.stringify(catalog));

const plugin = new Plugin({ root, type: 'core', ignoreManifest: true, errorOnManifestCreate: true });
await plugin.load();
await writeFile(`${root}/oclif.manifest.json`, `${JSON.stringify(plugin.manifest)}\n`);
