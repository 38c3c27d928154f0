import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

const SCRIPT = '/usr/bin/script';

/** Terminals are made by util-linux's `script`, whose namesake elsewhere takes other options. */
export const hasTerminal = process.platform === 'linux' && existsSync(SCRIPT);

export interface TerminalResult {
  /** All that the terminal was sent, stdout and stderr. */
  readonly shown: string;
  readonly exitCode: number | null;
}

/** Runs a program on a terminal of 100 columns; what is written to the child's stdin is typed there. */
export function runOnTerminal(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  onStart?: (child: ChildProcess) => void,
): Promise<TerminalResult> {
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return new Promise((resolve, reject) => {
    const args = ['--quiet', '--return', '--command', `stty cols 100 rows 40; exec ${command}`, '/dev/null'];
    const child = spawn(SCRIPT, args, {
      env: { SHELL: '/bin/sh', TERM: 'xterm-256color', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text));
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ shown, exitCode }));
    onStart?.(child);
  });
}
