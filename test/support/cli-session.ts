import { afterAll } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CliResult, cliEnvironment, runCli } from './run-cli.js';

const PROGRAM = fileURLToPath(new URL('../../dist/quick/bundle/cli.cjs', import.meta.url));
const SESSION = fileURLToPath(new URL('line-by-line.cjs', import.meta.url));

/** What is decided as a process starts, or by oclif. */
const WANTS_PROCESS = /^(-h|--help|exec|agent|completion)$/;
const WANTED_BY_ENVIRONMENT = ['DEBUG', 'FORCE_COLOR', 'NODE_OPTIONS', 'NO_COLOR'];

/** A process that has compiled the program already, and runs one command line after the other. */
class CliSession {
  readonly #child: ChildProcess = spawn(process.execPath, [SESSION], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  readonly #gone = once(this.#child, 'exit');
  #last: Promise<unknown> = Promise.resolve();
  #errors = '';

  constructor() {
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  run(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<CliResult & { known: boolean }> {
    const answer = this.#last.then(async () => {
      const told = once(this.#child, 'message');
      this.#child.send({ words, environment });
      const [result] = (await Promise.race([told, this.#gone])) as [unknown];
      if (typeof result !== 'object' || result === null) {
        throw new Error(
          `the program ended itself at ${words.join(' ')}: run it in a process of its own\n${this.#errors}`,
        );
      }
      return result as CliResult & { known: boolean };
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async end(): Promise<void> {
    this.#child.disconnect();
    await this.#gone;
  }
}

let session: CliSession | undefined;

afterAll(async () => {
  await session?.end();
  session = undefined;
});

/**
 * As `runCli` runs it, but in a process that all lines of a test file share: most of what a command takes is starting and compiling the
 * program. For what is answered; what a process does (signals, streams, memory, colours) needs its own.
 */
export async function askCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const needsOwn = args.some((word) => WANTS_PROCESS.test(word)) || WANTED_BY_ENVIRONMENT.some((name) => name in env);
  if (needsOwn || !existsSync(PROGRAM)) return runCli(args, env);
  session ??= new CliSession();
  const { known, ...result } = await session.run(args, cliEnvironment(env));
  return known ? result : runCli(args, env);
}
