// What the single file runs.
import CheckMemory from '../../dist/commands/check-memory.js';
import { runQuickly } from '../../dist/lib/cli/quick-start.js';

const USAGE_ERROR = 2;
const FLAGS = 'https://github.com/defilantech/llmkube-cli/blob/main/docs/commands.md';
const [id, ...argv] = process.argv.slice(2);
const wantsHelp = [id, ...argv].some((word) => word === '--help' || word === '-h');

if (process.env.NO_COLOR && !process.env.FORCE_COLOR) process.env.FORCE_COLOR = '0';

if (wantsHelp) {
  process.stdout.write(`USAGE\n  llmkube check-memory MODEL [FLAGS]\n\nThe flags: ${FLAGS}\n`);
} else if (id === 'check-memory') {
  void runQuickly({ [id]: async () => ({ default: CheckMemory }) }, [id, ...argv]);
} else {
  process.stderr.write('Error: this file holds check-memory alone\n  Suggestion: llmkube check-memory MODEL\n');
  process.exitCode = USAGE_ERROR;
}
