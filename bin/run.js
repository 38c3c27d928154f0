#!/usr/bin/env node
// CommonJS: `exec` stays in memory as long as its server, and Node's loader for the other kind of modules takes 2 MB there.
const { existsSync, readdirSync } = require('node:fs');
const { join } = require('node:path');
const { load } = require('./load.js');

if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

const NOT_DONE = 3;
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

/** What oclif loads asks the system for this user's folder, which fails for a user whom it does not know, as in containers. */
function keepHomeKnown() {
  if (process.env.HOME) return;
  const { homedir } = require('node:os');
  try {
    homedir();
  } catch {
    process.env.HOME = '/';
  }
}

/** A build that never was or did not end, or packages that were never installed. */
function sayNotBuilt() {
  const remedy = canFind('typescript/package.json') ? 'npm run build' : 'npm ci';
  process.stderr.write(`Error: llmkube is not built\n  Suggestion: ${remedy}\n`);
  process.exitCode = NOT_DONE;
}

function canFind(name) {
  try {
    return require.resolve(name) !== '';
  } catch {
    return false;
  }
}

const isMissingModule = ({ code, cause } = {}) =>
  /^(ERR_)?MODULE_NOT_FOUND$/.test(code) || (cause && isMissingModule(cause));

/** As oclif does itself to find one where the build has not listed them, with a page of warnings where one does not load. */
async function loadUnlistedCommands() {
  if (existsSync(join(root, 'oclif.manifest.json'))) return;
  const files = readdirSync(join(root, 'dist/commands'), { recursive: true }).filter((file) => file.endsWith('.js'));
  await Promise.all(files.map((file) => import(`../dist/commands/${file}`)));
}

async function start() {
  if (!existsSync(join(root, 'dist/commands'))) return sayNotBuilt();
  keepHomeKnown();
  const commands = quick(words[0] === 'check-memory' ? 'check-memory.cjs' : 'cli.cjs');
  if (commands !== undefined && (await load(commands).run(words))) return;
  keepHelpInside(process.stdout);
  const { endWhereOutputFails } = await import('../dist/lib/cli/terminal/output-failure.js');
  endWhereOutputFails();
  const { flush, handle, run } = await import('@oclif/core');
  await loadUnlistedCommands();
  await run(words, root)
    .then(() => flush())
    .catch((error) => (isMissingModule(error) ? sayNotBuilt() : handle(error)));
}

/** What nobody has caught, here or in a promise: Node itself would end with 1, which says that something does not fit. */
process.on('uncaughtException', (error) => {
  const text = process.env.DEBUG ? String(error?.stack) : `unexpected ${error}`.replace(/[^ -~]/g, '?');
  process.stderr.write(`Error: ${text}\n  Suggestion: run it again with DEBUG=* for the stack trace, and report it\n`);
  process.exit(NOT_DONE);
});

if (words[0] === 'exec' && quick('exec.cjs')) load(quick('exec.cjs'));
else
  start().catch((error) => {
    if (!isMissingModule(error)) throw error;
    sayNotBuilt();
  });
