#!/usr/bin/env node
// CommonJS: `exec` stays in memory as long as its server, and Node's loader for the other kind of modules takes 2 MB there.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const NOT_BUILT = 3;
const root = join(__dirname, '..');
const [id, ...argv] = process.argv.slice(2);
const ownEnd = argv.indexOf('--');
const ownWords = ownEnd < 0 ? argv : argv.slice(0, ownEnd);
const wantsHelp = ownWords.some((word) => word === '--help' || word === '-h');
const quick = (file) => {
  const path = join(root, 'dist/quick/bundle', file);
  return !wantsHelp && existsSync(path) ? path : undefined;
};

/** oclif 4 wraps what it puts below a flag two columns beyond the terminal, which breaks words there. */
function keepHelpInside({ isTTY, columns }) {
  if (isTTY && columns > 40) process.env.OCLIF_COLUMNS ??= String(columns - 2);
}

/** A promise that fails ends the process as an error of the main module does. */
async function start() {
  if (!existsSync(join(root, 'dist/commands'))) {
    process.stderr.write('Error: llmkube is not built\n  Suggestion: npm run build\n');
    process.exitCode = NOT_BUILT;
  } else if (id === 'check-memory' && quick('check-memory.js')) {
    await import(quick('check-memory.js'));
  } else if (id === 'agent' && argv[0] === 'run' && quick('agent-run.js')) {
    await import(quick('agent-run.js'));
  } else {
    keepHelpInside(process.stdout);
    const { execute } = await import('@oclif/core');
    await execute({ dir: root });
  }
}

if (id === 'exec' && quick('exec.cjs')) require(quick('exec.cjs'));
else void start();
