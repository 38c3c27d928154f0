import { readdirSync, readFileSync } from 'node:fs';
import { identityFromStat, type ProcessIdentity } from './processes.js';

/** What one process holds now, in bytes. */
export interface ProcessMemory extends ProcessIdentity {
  /** As the kernel calls the program, without a path. */
  readonly name: string;
  /** Pages of its own, which count as in use. */
  readonly anonymousBytes: number;
  /** Mapped from files other than code: pages that `MemAvailable` calls available as long as they are clean. */
  readonly mappedBytes: number;
  /** The cgroup v2 that it is in, such as `/user.slice`; undefined where that is not known. */
  readonly cgroup?: string;
}

/** A file of the system, or undefined when it cannot be read. */
type ReadNow = (path: string) => string | undefined;

/**
 * Programs that hold models in memory, by what the kernel calls them: at most 15 characters on Linux (`TASK_COMM_LEN`).
 * llama.cpp's own, Ollama and its runners, LM Studio, llamafile, KoboldCpp, LocalAI, GPT4All, Jan, llama-box, ramalama.
 */
const ENGINES =
  /^(llama-(server|cli|box|run|bench|mtmd|perplex)|llama$|ollama|lm.?studio|llmster|lms$|llamafile|koboldcpp|local-?ai|gpt4all|jan$|cortex|ramalama|mlx|vllm)/i;

export function isEngine(name: string): boolean {
  return ENGINES.test(name);
}

/** The processes of this Linux machine that are engines by their name. */
export function linuxEngines(
  read: ReadNow = readNow,
  pids: () => readonly number[] = allPids,
): readonly ProcessMemory[] {
  return pids()
    .filter((pid) => isEngine(read(`/proc/${pid}/comm`)?.trim() ?? ''))
    .flatMap((pid) => linuxProcessMemory(pid, read) ?? []);
}

/** One process of this Linux machine, or undefined when it is gone. */
export function linuxProcessMemory(pid: number, read: ReadNow = readNow): ProcessMemory | undefined {
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  const identity = identityFromStat(read(`/proc/${pid}/stat`) ?? '', boot);
  const status = read(`/proc/${pid}/status`);
  if (identity === undefined || status === undefined) return undefined;
  const cgroup = /^0::(\/.*)$/m.exec(read(`/proc/${pid}/cgroup`) ?? '')?.[1];
  const maps = read(`/proc/${pid}/maps`);
  return {
    ...identity,
    name: /^Name:\s+(.*)$/m.exec(status)?.[1] ?? '',
    anonymousBytes: statusBytes(status, 'RssAnon') + statusBytes(status, 'RssShmem'),
    // Of another user's process only the pages that are in memory can be seen.
    mappedBytes: maps === undefined || maps === '' ? statusBytes(status, 'RssFile') : mappedFileBytes(maps),
    ...(cgroup !== undefined && { cgroup }),
  };
}

function statusBytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
}

/** `/proc/PID/maps` (proc(5)): mappings of files, but not those of code; a part that is mapped twice counts once. */
export function mappedFileBytes(maps: string): number {
  const seen = new Set<string>();
  let bytes = 0;
  for (const [, start = '', end = '', mode = '', offset = '', device = '', inode = ''] of maps.matchAll(
    /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) (\S+) (\d+)/gm,
  )) {
    const part = `${device} ${inode} ${offset}`;
    if (inode === '0' || mode.includes('x') || seen.has(part)) continue;
    seen.add(part);
    bytes += Number.parseInt(end, 16) - Number.parseInt(start, 16);
  }
  return bytes;
}

function allPids(): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 0);
}

function readNow(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
