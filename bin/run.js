#!/usr/bin/env node
if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const [id, ...argv] = process.argv.slice(2);
const ownEnd = argv.indexOf('--');
const ownWords = ownEnd < 0 ? argv : argv.slice(0, ownEnd);
const wantsHelp = ownWords.some((word) => word === '--help' || word === '-h');

if (id === 'check-memory' && !wantsHelp) {
  await import('../dist/quick/bundle/check-memory.js');
} else if (id === 'exec' && !wantsHelp) {
  await import('../dist/quick/bundle/exec.js');
} else {
  const { execute } = await import('@oclif/core');
  await execute({ dir: import.meta.url });
}
