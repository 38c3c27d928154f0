import CheckMemory from './commands/check-memory.js';
import { runQuickly } from './lib/cli/quick-start.js';

await runQuickly('check-memory', CheckMemory, process.argv.slice(3));
