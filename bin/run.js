#!/usr/bin/env node
if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const [id, ...argv] = process.argv.slice(2);
const wantsHelp = argv.some((word) => word === '--help' || word === '-h');

if (id === 'check-memory' && !wantsHelp) {
  const { runQuickly } = await import('../dist/lib/cli/quick-start.js');
  const { default: CheckMemory } = await import('../dist/commands/check-memory.js');
  await runQuickly(id, CheckMemory, argv);
} else {
  const { execute } = await import('@oclif/core');
  await execute({ dir: import.meta.url });
}
