#!/usr/bin/env node
// CommonJS: `exec` stays in memory as long as its server, and Node's loader for the other kind of modules takes 2 MB there.
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { load } = require('./load.js');

if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const NOT_BUILT = 3;
const root = join(__dirname, '..');
const words = process.argv.slice(2);
const ownEnd = words.indexOf('--');
const ownWords = ownEnd < 0 ? words : words.slice(0, ownEnd);
const wantsHelp = ownWords.some((word) => word === '--help' || word === '-h');

/** A file of the quick start, which prints no help and nothing for those who look for mistakes in this program. */
const quick = (file) => {
  const path = join(root, 'dist/quick/bundle', file);
  return !wantsHelp && !process.env.DEBUG && existsSync(path) ? path : undefined;
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
    return;
  }
  const commands = quick('cli.cjs');
  if (commands !== undefined && (await load(commands).run(words))) return;
  keepHelpInside(process.stdout);
  const { endWhereOutputFails } = await import('../dist/lib/cli/terminal/output-failure.js');
  endWhereOutputFails();
  const { execute } = await import('@oclif/core');
  await execute({ dir: root });
}

if (words[0] === 'exec' && quick('exec.cjs')) load(quick('exec.cjs'));
else void start();
