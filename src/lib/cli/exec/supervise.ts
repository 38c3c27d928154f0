import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** What launchers, shells and people send; SIGKILL and SIGSTOP cannot be passed on. */
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;

/** What a terminal sends to every process of the foreground itself. */
const FROM_THE_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGWINCH', 'SIGCONT'];

/**
 * Passes signals on to a program until it ends, and returns how it ended. From a terminal, Ctrl-C reaches the program
 * without help, and llama-server takes a second one for an order to drop everything.
 */
export async function supervise(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const passOn = (name: NodeJS.Signals): void => {
    if (!(FROM_THE_TERMINAL.includes(name) && hasTerminal())) child.kill(name);
  };
  for (const name of PASSED_ON) process.on(name, passOn);
  const ended = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve({ code: child.exitCode, signal: child.signalCode });
    else child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  for (const name of PASSED_ON) process.off(name, passOn);
  return ended;
}

/** Ends this process as the program ended: with its exit code, or by the same signal. */
export function endAlike({ code, signal }: { code: number | null; signal: NodeJS.Signals | null }): never {
  if (signal !== null) {
    try {
      process.kill(process.pid, signal);
    } catch {
      // The exit code below says the same.
    }
  }
  process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
}

function hasTerminal(): boolean {
  return [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
}
