#!/usr/bin/env node
if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const [id, ...argv] = process.argv.slice(2);
const wantsHelp = argv.some((word) => word === '--help' || word === '-h');

if (id === 'check-memory' && !wantsHelp) {
  await import('../dist/quick/bundle/check-memory.js');
} else {
  const { execute } = await import('@oclif/core');
  await execute({ dir: import.meta.url });
}
