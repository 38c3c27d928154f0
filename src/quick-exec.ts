import { runExec } from './lib/cli/exec/run-exec.js';
import { cacheDirHere } from './lib/cli/cache-dir.js';

void runExec(process.argv.slice(3), cacheDirHere());
