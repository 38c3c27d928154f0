#!/usr/bin/env node
// Builds, but not where everything is older than the last build: `npm test` after `npm ci` need not build again.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import load from '../bin/load.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const INPUTS = ['src', 'scripts', 'bin', 'catalog.yaml', 'package.json', 'package-lock.json', 'tsconfig.json'];
/** What the last step of a build writes, for this Node. */
const LAST_OUTPUT = load.codeOf(`${root}/dist/quick/bundle/check-memory.cjs`);

// A folder's own time tells of files that were removed.
function changed(path) {
  const stat = statSync(path);
  const inside = stat.isDirectory() ? readdirSync(path).map((name) => changed(`${path}/${name}`)) : [];
  return Math.max(stat.mtimeMs, ...inside);
}

const built = existsSync(LAST_OUTPUT) ? statSync(LAST_OUTPUT).mtimeMs : 0;
if (INPUTS.some((name) => changed(`${root}/${name}`) >= built)) {
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
}
