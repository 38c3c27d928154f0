import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import { CheckIncompleteError } from '../errors.js';

/** The first descriptor that standard input, output and errors leave free. */
const GATE = 3;

/** Waits for one line, then becomes the program; without the line, as when the guard is killed, it only ends. */
const SCRIPT = `IFS= read -r word <&${GATE} && [ "$word" = go ] || exit 125; exec ${GATE}<&-; exec "$0" "$@"`;

export interface Program {
  /** Path of the file to run. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Standard input, output and errors of the program, or one word for all three; default: this process's own. */
  readonly stdio?: 'inherit' | 'ignore' | 'pipe' | readonly (('inherit' | 'ignore' | 'pipe') | number)[];
  /** In a process group of its own, which outlives this process. */
  readonly detached?: boolean;
}

/** A process that has the number and the start time of the program, and is not yet the program. */
export interface GatedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Lets it become the program. */
  open(): void;
  /** Ends it. */
  abandon(): void;
}

/**
 * Starts a process that becomes the program only when it is told to. So it can be written into the ledger first, and there
 * is no moment, whoever is killed when, at which the program runs without an entry.
 * @throws CheckIncompleteError SPAWN_FAILED
 */
export async function startGated({
  file,
  args,
  cwd,
  env,
  stdio = 'inherit',
  detached,
}: Program): Promise<GatedProcess> {
  const standard = typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio;
  const child = spawn('/bin/sh', ['-c', SCRIPT, file, ...args], {
    stdio: [...standard, 'pipe'],
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    ...(detached && { detached }),
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new CheckIncompleteError('SPAWN_FAILED', `${file} could not be started: ${cause.message}`, { cause }));
    });
  });
  const gate = child.stdio[GATE] as Writable;
  // The program may be killed before it reads.
  gate.on('error', () => undefined);
  return {
    child,
    pid: child.pid ?? 0,
    open: () => void gate.end('go\n'),
    abandon: () => void gate.end(),
  };
}
