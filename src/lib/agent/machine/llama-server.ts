import { realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CheckIncompleteError } from '../../errors.js';
import { parseServerVersion } from '../../host/installed-server.js';
import { programOutput } from '../../host/processes/program-output.js';
import { firstRunnable } from '../../host/processes/runnable.js';
import { printable } from '../../printable.js';

/** A llama-server that was asked what it is. */
export interface LlamaServer {
  readonly path: string;
  /** `b11549`, `v0.8.0`; undefined where it does not say. */
  readonly build: string | undefined;
  /** Options that its `--help` lists. */
  readonly options: ReadonlySet<string>;
}

/** The llama-server of a host, asked again what it is when another one has taken its place, as an upgrade does. */
export class CurrentLlamaServer {
  #stamp: string;

  /** @param current as `findLlamaServer` has found it */
  constructor(public current: LlamaServer) {
    this.#stamp = stampOf(current.path);
  }

  /** @throws CheckIncompleteError LLAMA_SERVER_NOT_FOUND, LLAMA_SERVER_FAILED */
  async refresh(): Promise<LlamaServer> {
    const stamp = stampOf(this.current.path);
    if (stamp === this.#stamp && stamp !== '') return this.current;
    this.current = await findLlamaServer(this.current.path);
    this.#stamp = stamp;
    return this.current;
  }
}

/** Of the file behind all links, which changes when another version is put there; empty where there is none. */
function stampOf(path: string): string {
  try {
    const real = realpathSync(path);
    const { size, mtimeMs, ino } = statSync(real);
    return [real, size, mtimeMs, ino].join(' ');
  } catch {
    return '';
  }
}

const USUAL_PLACES = ['/opt/homebrew/bin', '/usr/local/bin'];
const BOUNDS = { timeoutMs: 30_000, mostBytes: 4 * 2 ** 20 };
const OPTION = /(?<![\w-])--?[a-zA-Z][\w-]*/g;

/**
 * The named llama-server, else the one where Homebrew puts it, else the first of `PATH`; asked for its version and options once.
 * @throws CheckIncompleteError LLAMA_SERVER_NOT_FOUND, LLAMA_SERVER_FAILED
 */
export async function findLlamaServer(named: string | undefined, path = process.env.PATH ?? ''): Promise<LlamaServer> {
  const places = [...USUAL_PLACES, ...path.split(delimiter)].map((folder) => join(folder, 'llama-server'));
  const found = firstRunnable(named === undefined ? places : [named]);
  if (found === undefined) {
    const what =
      named === undefined ? 'no llama-server was found' : `${printable(named)} is not a program that can be run`;
    throw new CheckIncompleteError('LLAMA_SERVER_NOT_FOUND', what, {
      suggestions: ['name it with --llama-server, or install it: brew install llama.cpp'],
    });
  }
  const [version, help] = await Promise.all([ask(found, '--version'), ask(found, '--help')]);
  const options = new Set(help.match(OPTION) ?? []);
  if (!options.has('--model')) {
    throw new CheckIncompleteError(
      'LLAMA_SERVER_FAILED',
      `${printable(found)} --help does not list llama-server's options`,
      {
        suggestions: ['run it by hand to see what is wrong'],
      },
    );
  }
  return { path: found, build: parseServerVersion(version), options };
}

/** Both streams: llama-server says its version on one, its help on the other. */
async function ask(file: string, option: string): Promise<string> {
  const { stdout, stderr } = (await programOutput(file, [option], BOUNDS)) ?? { stdout: '', stderr: '' };
  return `${stdout}\n${stderr}`;
}
