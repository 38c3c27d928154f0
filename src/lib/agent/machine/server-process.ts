import type { ChildProcess } from 'node:child_process';
import { sameProcess, type FindProcess, type ProcessIdentity } from '../../host/processes/processes.js';
import { isHealthy } from './health.js';
import { logTail, rotateLog } from './log-file.js';

/** How a server came to its end. */
export interface ServerEnd {
  /** The agent had asked for it. */
  readonly wanted: boolean;
  /** One sentence, with the end of the log. */
  readonly text: string;
}

export interface ServerEvents {
  /** Loaded, sick, well again. */
  readonly onChange: () => void;
  readonly onEnd: (end: ServerEnd) => void;
}

export interface ServerTarget {
  readonly identity: ProcessIdentity;
  /** Unset for one that an earlier agent had started. */
  readonly child?: ChildProcess;
  readonly host: string;
  readonly port: number;
  readonly logFile: string;
  readonly startupMs: number;
  /** Its process group; unset where it began one itself. */
  readonly group?: number;
  /** What still runs of that group, as a server does whose wrapper was killed. */
  readonly rest: () => readonly ProcessIdentity[];
}

const LOADING_LOOK_MS = 500;
/** A large model takes minutes, and a second more is nothing then. */
const LONG_LOADING_LOOK_MS = 1_000;
const LONG_LOADING_MS = 5_000;
const READY_LOOK_MS = 15_000;
/** Of one that is no child of this process, whose end nobody tells. */
const PULSE_MS = 2_000;
/** One slow answer is no reason to load a model again. */
const SICK_AFTER = 3;
const GRACE_MS = 10_000;
const GONE_LOOK_MS = 100;
const TAIL_LINES = 8;
const MEMORY_WORDS = /out of memory|failed to allocate|unable to allocate|bad_alloc|cudaMalloc failed/i;

/** One llama-server of this host, started or found running: watched until it has ended. */
export class ServerProcess {
  state: 'loading' | 'ready' | 'unhealthy' | 'stopping' = 'loading';
  readonly startedAtMs = performance.now();
  readyAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #pulse: NodeJS.Timeout | undefined;
  #misses = 0;
  #ended = false;
  #signal: string | undefined;

  constructor(
    readonly target: ServerTarget,
    private readonly find: FindProcess,
    /** As `glanceAtProcesses` makes it, for what is looked at every few seconds. */
    private readonly glance: FindProcess,
    private readonly events: ServerEvents,
  ) {
    target.child?.once('exit', (code, signal) => this.#end(code, signal));
    if (target.child === undefined)
      this.#pulse = setInterval(() => this.#seemsAlive || this.#end(null, null), PULSE_MS).unref();
    this.#look(0);
  }

  get pid(): number {
    return this.target.identity.pid;
  }

  get alive(): boolean {
    return !this.#ended && sameProcess(this.find(this.pid), this.target.identity);
  }

  get #seemsAlive(): boolean {
    return !this.#ended && sameProcess(this.glance(this.pid), this.target.identity);
  }

  /** TERM, then KILL after ten seconds. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.state = 'stopping';
    clearTimeout(this.#timer);
    this.#kill('SIGTERM');
    if (!(await this.#goneWithin(GRACE_MS))) {
      this.#kill('SIGKILL');
      while (!(await this.#goneWithin(GRACE_MS))) this.#kill('SIGKILL');
    }
    this.#end(null, null);
  }

  /** Looks no more; the server goes on. */
  leave(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
    this.target.child?.unref();
    this.#ended = true;
  }

  async #goneWithin(ms: number): Promise<boolean> {
    for (const until = performance.now() + ms; performance.now() < until;) {
      if (!this.alive) return true;
      await new Promise((resolve) => void setTimeout(resolve, GONE_LOOK_MS));
    }
    return !this.alive;
  }

  /** The whole group, which is the server's own. */
  #kill(signal: NodeJS.Signals): void {
    if (!this.alive) return;
    this.#signal = signal;
    try {
      process.kill(-(this.target.group ?? this.pid), signal);
    } catch {
      // Gone in the meantime, or no group of its own.
      this.target.child?.kill(signal);
    }
  }

  #look(ms: number): void {
    this.#timer = setTimeout(() => void this.#check(), ms);
    this.#timer.unref();
  }

  async #check(): Promise<void> {
    if (!this.#seemsAlive) return this.#end(null, null);
    const healthy = await isHealthy(this.target);
    if (!healthy && !this.alive) return this.#end(null, null);
    if (this.#ended || this.state === 'stopping') return;
    rotateLog(this.target.logFile);
    const before = this.state;
    if (healthy) {
      this.#misses = 0;
      this.state = 'ready';
      this.readyAtMs ??= performance.now();
    } else if (this.state === 'loading') {
      if (performance.now() - this.startedAtMs > this.target.startupMs) this.state = 'unhealthy';
    } else if (++this.#misses >= SICK_AFTER) this.state = 'unhealthy';
    if (this.state !== before) this.events.onChange();
    this.#look(this.#pause());
  }

  #pause(): number {
    if (this.state !== 'loading') return READY_LOOK_MS;
    return performance.now() - this.startedAtMs > LONG_LOADING_MS ? LONG_LOADING_LOOK_MS : LOADING_LOOK_MS;
  }

  #end(code: number | null, signal: string | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.state = 'stopping';
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
    const wanted = this.#signal !== undefined;
    const end = { wanted, text: wanted ? 'stopped' : endText(code, signal, this.target.logFile) };
    this.#clearRest(() => this.events.onEnd(end));
  }

  /** Nothing of it may be left that nobody watches, beside the one that follows. */
  #clearRest(then: () => void): void {
    const rest = this.target.rest();
    if (rest.length === 0) return then();
    for (const { pid } of rest) endNow(pid);
    this.#timer = setTimeout(() => this.#clearRest(then), GONE_LOOK_MS);
  }
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone in the meantime.
  }
}

function endText(code: number | null, signal: string | null, logFile: string): string {
  const tail = logTail(logFile, TAIL_LINES);
  const how =
    signal === 'SIGKILL'
      ? 'llama-server was killed (SIGKILL), most likely by the system for lack of memory'
      : signal !== null
        ? `llama-server was ended by ${signal}`
        : code === null
          ? 'llama-server is gone'
          : `llama-server ended with exit code ${code}`;
  const why = MEMORY_WORDS.test(tail) ? ', it could not allocate memory' : '';
  return tail === '' ? `${how}${why}` : `${how}${why}; its log ends with:\n${tail}`;
}
