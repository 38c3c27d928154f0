import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBoundedJson } from '../bounded-json.js';
import { CheckIncompleteError } from '../errors.js';
import { writeOwnFile } from '../own-file.js';
import { programOutput } from './processes/program-output.js';
import { pathFolders } from './processes/runnable.js';
import { readRegularFile } from '../read-regular-file.js';

/** What finding a llama-server and asking its version needs of the machine, so that tests can answer in its place. */
export interface ServerProbe {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Size and time of change of a file, or undefined where there is none. */
  readonly look: (path: string) => Promise<FileStamp | undefined>;
  /** What the program printed on both streams, or undefined where it did not run. */
  readonly run: (program: string, args: readonly string[]) => Promise<string | undefined>;
  /** Where answers are kept, so that a program is not started for each check. */
  readonly cacheFile?: string;
}

export interface FileStamp {
  readonly size: number;
  readonly mtimeMs: number;
}

/** A llama-server and the version that it says it is, such as `v0.8.0` or `b11549`; undefined where it does not say. */
interface FoundServer {
  readonly path: string;
  readonly version: string | undefined;
}

const PROGRAM = 'llama-server';
/** Homebrew's places on Apple silicon, Intel Macs and Linux, which a service's PATH may lack. */
const HOMEBREW = ['/opt/homebrew/bin', '/usr/local/bin', '/home/linuxbrew/.linuxbrew/bin'];
const BOUNDS = { timeoutMs: 5_000, mostBytes: 2 ** 20 };
/** A line for each llama-server that was asked. */
const LONGEST_CACHE = 2 ** 20;

/**
 * The llama-server of this machine: `LLMKUBE_LLAMA_SERVER`, else the first on the PATH or where Homebrew puts it.
 * @throws CheckIncompleteError LLAMA_SERVER_VERSION where the one that was named does not say its version
 */
export async function installedServer(probe: ServerProbe): Promise<FoundServer | undefined> {
  const named = probe.env['LLMKUBE_LLAMA_SERVER'];
  if (named) return { path: named, version: await serverVersion(named, probe) };
  for (const path of [...pathFolders(probe.env['PATH']), ...HOMEBREW].map((folder) => join(folder, PROGRAM))) {
    if (await probe.look(path)) return { path, version: await askedVersion(path, probe) };
  }
  return undefined;
}

/**
 * The version of one llama-server.
 * @throws CheckIncompleteError LLAMA_SERVER_VERSION
 */
export async function serverVersion(path: string, probe: ServerProbe): Promise<string> {
  const version = await askedVersion(path, probe);
  if (version !== undefined) return version;
  const problem = (await probe.look(path))
    ? 'does not say which llama.cpp it is (asked with --version)'
    : 'is no file, so it cannot be asked which llama.cpp it is';
  throw new CheckIncompleteError(
    'LLAMA_SERVER_VERSION',
    `${JSON.stringify(path)} ${problem}; name the version itself, such as --llama-cpp v0.8.0.`,
  );
}

/**
 * `--version` of llama-server: `version: 9607 (6471e3c0)` until summer 2026, then
 * `version: 0.6.0-dev (build 11434, commit abc)`; builds from a tarball have build 0 or 1, so a release counts first.
 * Without a build, `0.8.0-dev` only says that it is none after that release.
 */
export function parseServerVersion(printed: string): string | undefined {
  const [, release, dev, build] = /version: (\d{1,4}\.\d{1,4}\.\d{1,4})(-dev)? \(build (\d{1,7})\b/.exec(printed) ?? [];
  if (release !== undefined && dev === undefined) return `v${release}`;
  if (release !== undefined) return Number(build) <= 1 ? `v${release}${dev}` : `b${build}`;
  const old = /version: (\d{1,7}) \([0-9a-z]+\)/.exec(printed)?.[1];
  return old === undefined || Number(old) <= 1 ? undefined : `b${old}`;
}

/** Undefined where there is no such program, or it does not say. */
export async function askedVersion(path: string, probe: ServerProbe): Promise<string | undefined> {
  const stamp = await probe.look(path);
  if (stamp === undefined) return undefined;
  const key = `${path} ${stamp.size} ${stamp.mtimeMs}`;
  const known = await readCache(probe.cacheFile);
  if (known[key] !== undefined) return known[key];
  const printed = await probe.run(path, ['--version']);
  const version = printed === undefined ? undefined : parseServerVersion(printed);
  if (version !== undefined) await writeCache(probe.cacheFile, { [key]: version });
  return version;
}

/** An answer that cannot be read or kept is asked for again. */
async function readCache(file: string | undefined): Promise<Readonly<Record<string, string>>> {
  if (file === undefined) return {};
  try {
    const parsed = parseBoundedJson(await readRegularFile(file, LONGEST_CACHE));
    const entries = Object.entries(parsed as object).filter(([, value]) =>
      /^(?:b\d{1,7}|v\d{1,4}\.\d{1,4}\.\d{1,4}(?:-dev)?)$/.test(String(value)),
    );
    return Object.fromEntries(entries) as Record<string, string>;
  } catch {
    return {};
  }
}

async function writeCache(file: string | undefined, entries: Readonly<Record<string, string>>): Promise<void> {
  if (file === undefined) return;
  await mkdir(join(file, '..'), { recursive: true })
    .then(() => writeOwnFile(file, JSON.stringify(entries)))
    .catch(() => undefined);
}

/** The real machine. */
export function thisMachinesServers(cacheDir: string): ServerProbe {
  return {
    env: process.env,
    cacheFile: join(cacheDir, 'llama-server.json'),
    look: async (path) => {
      const found = await stat(path).catch(() => undefined);
      return found?.isFile() ? { size: found.size, mtimeMs: found.mtimeMs } : undefined;
    },
    run: async (program, args) => {
      const output = await programOutput(program, args, BOUNDS);
      return output?.failed === false ? `${output.stdout}\n${output.stderr}` : undefined;
    },
  };
}
