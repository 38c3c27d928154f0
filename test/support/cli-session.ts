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
const WANTED_BY_ENVIRONMENT = ['DEBUG', 'NODE_OPTIONS', 'NO_COLOR'];

/** A process that has compiled the program already, and runs one command line after the other. */
class CliSession {
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  #last: Promise<unknown> = Promise.resolve();
  #errors = '';

  /** @param colour as `FORCE_COLOR` asks for it, which chalk looks at once, as the process starts */
  constructor(colour: string | undefined) {
    const env = { ...process.env, ...(colour !== undefined && { FORCE_COLOR: colour }) };
    this.#child = spawn(process.execPath, [SESSION], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#gone = once(this.#child, 'exit');
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

/** By colour. */
const sessions = new Map<string | undefined, CliSession>();

afterAll(async () => {
  await Promise.all([...sessions.values()].map((session) => session.end()));
  sessions.clear();
});

/**
 * As `runCli` runs it, but in a process that all lines of a test file share: most of what a command takes is starting and compiling the
 * program. For what is answered; what a process does (signals, streams, memory) needs its own.
 */
export async function askCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const needsOwn = args.some((word) => WANTS_PROCESS.test(word)) || WANTED_BY_ENVIRONMENT.some((name) => name in env);
  if (needsOwn || !existsSync(PROGRAM)) return runCli(args, env);
  const session = sessions.get(env.FORCE_COLOR) ?? new CliSession(env.FORCE_COLOR);
  sessions.set(env.FORCE_COLOR, session);
  const { known, ...result } = await session.run(args, cliEnvironment(env));
  return known ? result : runCli(args, env);
}
