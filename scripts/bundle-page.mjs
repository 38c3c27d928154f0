#!/usr/bin/env node
// Bundles the program of the page (src/page) into the one script that a page holds: dist/page/script.js.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const SCRIPT = 'dist/page/script.js';

await build({
  absWorkingDir: root,
  entryPoints: ['src/page/main.ts'],
  outfile: SCRIPT,
  bundle: true,
  platform: 'browser',
  format: 'iife',
  globalName: 'llmkube',
  target: 'es2022',
  charset: 'utf8',
  minify: true,
  legalComments: 'none',
});

// What would end, or confuse the end of, the script element that it is put into.
if (/<!--|<\/?script/i.test(await readFile(`${root}/${SCRIPT}`, 'utf8'))) {
  throw new Error(`${SCRIPT} contains what cannot stand in a script element`);
}
