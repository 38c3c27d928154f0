import { constants } from 'node:os';
import { printLine } from './out.js';

/** Nobody got the answer, so no other code may be taken for it. */
const OUTPUT_FAILED = 5;

/** The reader went away, as with `| head -1`: what a shell reports of a program that SIGPIPE ended. */
const READER_GONE = 128 + constants.signals.SIGPIPE;

/** Ends the program, with a code of its own, where standard output cannot be written. */
export function endWhereOutputFails(): void {
  if (process.stdout.listeners('error').includes(end)) return;
  // Before oclif's own, which throws.
  process.stdout.prependListener('error', end);
  process.stderr.on('error', () => undefined);
}

function end(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(READER_GONE);
  printLine(`Error: the answer could not be written (${error.code ?? error.message})`);
  process.exit(OUTPUT_FAILED);
}
