#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const NOT_BUILT = 3;
const [id, ...argv] = process.argv.slice(2);
const ownEnd = argv.indexOf('--');
const ownWords = ownEnd < 0 ? argv : argv.slice(0, ownEnd);
const wantsHelp = ownWords.some((word) => word === '--help' || word === '-h');
const isThere = (path) => existsSync(fileURLToPath(new URL(path, import.meta.url)));

if (!isThere('../dist/commands')) {
  process.stderr.write('Error: llmkube is not built\n  Suggestion: npm run build\n');
  process.exitCode = NOT_BUILT;
} else if (id === 'check-memory' && !wantsHelp && isThere('../dist/quick/bundle/check-memory.js')) {
  await import('../dist/quick/bundle/check-memory.js');
} else if (id === 'exec' && !wantsHelp && isThere('../dist/quick/bundle/exec.js')) {
  await import('../dist/quick/bundle/exec.js');
} else {
  const { execute } = await import('@oclif/core');
  await execute({ dir: import.meta.url });
}
