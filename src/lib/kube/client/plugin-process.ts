import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

/** How a plugin ended, and what it printed until then. */
export interface PluginEnd {
  readonly stdout: string;
  readonly stderr: string;
  /** Its exit code; null where a signal ended it. */
  readonly code: number | null;
  /** Why it was ended from here. */
  readonly ended?: 'late' | 'long';
}

export interface PluginBounds {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly mostBytes: number;
  readonly signal: AbortSignal | undefined;
  /** It stays in the group of processes that reads the terminal. */
  readonly keepsTerminal: boolean;
}

/** What does not heed SIGTERM is killed after this, well within the two seconds in which everything ends. */
const GRACE_MS = 500;
const LOOK_MS = 20;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Runs a plugin without stdin. At its deadline, when it prints too much, when the signal aborts, and when this program is ended, it is
 * ended with everything that it started, but for what left its group; what it leaves behind at an end of its own (a browser) goes on.
 * @throws the reason of `signal`, or the error of a program that cannot be started
 */
export async function runPlugin(command: string, args: readonly string[], bounds: PluginBounds): Promise<PluginEnd> {
  const { env, timeoutMs, mostBytes, signal, keepsTerminal } = bounds;
  signal?.throwIfAborted();
  const running = new RunningPlugin(!keepsTerminal);
  const stopped = new AbortController();
  const stop = (why: 'late' | 'long' | 'aborted'): void => stopped.abort(why);
  const onAbort = (): void => stop('aborted');
  const timer = setTimeout(stop, timeoutMs, 'late');
  signal?.addEventListener('abort', onAbort);
  // Before it runs: a signal that came in between would end this program and leave the plugin.
  watch(running);
  try {
    const child = running.start(command, args, env);
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      stream?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) stop('long');
        else chunks.push(chunk);
      });
      return () => Buffer.concat(chunks).toString('utf8');
    }) as [() => string, () => string];
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      stopped.signal.addEventListener('abort', () => void running.end().then(() => resolve(null)));
    });
    await programToGoOn();
    if (stopped.signal.reason === 'aborted') signal?.throwIfAborted();
    const ended = stopped.signal.aborted ? (stopped.signal.reason as 'late' | 'long') : undefined;
    return { stdout: stdout(), stderr: stderr(), code, ...(ended && { ended }) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    unwatch(running);
  }
}

class RunningPlugin {
  #ending: Promise<void> | undefined;

  #child: ChildProcess | undefined;

  constructor(private readonly hasOwnGroup: boolean) {}

  start(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    return (this.#child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: this.hasOwnGroup }));
  }

  end(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  kill(): void {
    this.#send('SIGKILL');
  }

  async #end(): Promise<void> {
    this.#send('SIGTERM');
    for (let waitedMs = 0; waitedMs < GRACE_MS && this.#send(0); waitedMs += LOOK_MS) await delay(LOOK_MS);
    this.#send('SIGKILL');
    // What left the group may keep them open.
    this.#child?.stdout?.destroy();
    this.#child?.stderr?.destroy();
    this.#child?.unref();
  }

  /** Whether there is anything to send it to. */
  #send(signal: NodeJS.Signals | 0): boolean {
    const child = this.#child;
    if (child?.pid === undefined) return false;
    if (!this.hasOwnGroup) return child.exitCode === null && child.kill(signal);
    try {
      return process.kill(-child.pid, signal);
    } catch {
      return false;
    }
  }
}

const plugins = new Set<RunningPlugin>();
/** A signal that nobody else listens for ends the program as soon as its plugins have ended. */
let isDying = false;

function watch(plugin: RunningPlugin): void {
  if (plugins.size === 0) {
    process.on('exit', killAll);
    for (const name of SIGNALS) process.on(name, onSignal);
  }
  plugins.add(plugin);
}

function unwatch(plugin: RunningPlugin): void {
  plugins.delete(plugin);
  if (plugins.size === 0) {
    process.off('exit', killAll);
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

function killAll(): void {
  for (const plugin of plugins) plugin.kill();
}

function onSignal(name: NodeJS.Signals): void {
  const isOursAlone = process.listenerCount(name) === 1;
  const raise = (): void => {
    if (!isOursAlone) return;
    killAll();
    process.off(name, onSignal);
    process.kill(process.pid, name);
  };
  if (isDying) return raise();
  isDying = isOursAlone;
  void Promise.all([...plugins].map((plugin) => plugin.end())).then(raise);
}

/** Never, where the program is about to end by a signal: the end of a plugin is no failure then. */
function programToGoOn(): Promise<void> {
  return isDying ? new Promise(() => undefined) : Promise.resolve();
}
