import { spawn } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseBoundedJson } from '../../bounded-json.js';
import { CheckIncompleteError } from '../../errors.js';
import type { MemoryEstimate } from '../../estimate/memory-estimate.js';
import { fingerprint } from '../../guard/fingerprint.js';
import { readOwnFile, writeOwnFile } from '../../own-file.js';
import { parseShardName, shardPaths } from '../../gguf/names/shard-name.js';
import type { HostMemory } from '../../host/host-memory.js';
import type { Accelerator } from '../../runtime/launch-options.js';

/** What is to be estimated, as it was typed, so that it can be handed to another process. */
export interface RequirementRequest {
  readonly words: readonly string[];
  /** What of the environment holds options. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly source: string;
  readonly accelerator: Accelerator;
  readonly cacheDir: string;
  /** Path of the llama-server, which is asked for its version. */
  readonly program: string;
  /** What llama-server sees of the machine, where it is to choose context or layers, or there are GPUs with memory of their own. */
  readonly seen?: SeenMachine | undefined;
}

/** Without what is in use, but for GPUs that say themselves what is free. */
export type SeenMachine = Pick<HostMemory, 'totalBytes' | 'gpuWiredLimitBytes' | 'gpus' | 'unifiedMemory'>;

/** What a launch takes, or the text for stderr that says why that is not known. */
export type RequirementAnswer =
  | { readonly kind: 'known'; readonly estimate: MemoryEstimate; readonly pinned: readonly string[] }
  | { readonly kind: 'unknown'; readonly text: string; readonly exitCode: number };

const FOLDER = 'requirements-v3';

const WORKER = fileURLToPath(new URL('./requirement-worker.js', import.meta.url));

/**
 * What a launch takes. Worked out in a process of its own, which is gone before the server starts, and kept for the same words
 * and the same files: a second start loads neither the model's header nor the program that estimates.
 * @param env that of the program, whole: what the hub is asked with, and the program for its version
 * @throws CheckIncompleteError ESTIMATE_FAILED
 */
export async function requirement(request: RequirementRequest, env: NodeJS.ProcessEnv): Promise<RequirementAnswer> {
  const key = cacheKey(request);
  const kept = key === undefined ? undefined : read(fileOf(key, request), key);
  if (kept !== undefined) return kept;
  const answer = await askWorker(request, env);
  if (key !== undefined && answer.kind === 'known') keep(fileOf(key, request), key, answer);
  return answer;
}

/** One that was changed, or put in the place of another, says nothing. */
function read(file: string, key: string): RequirementAnswer | undefined {
  try {
    const [sum, json = ''] = readOwnFile(file).split('\n', 2);
    if (sum !== sumOf(key, json)) return undefined;
    const kept = parseBoundedJson(json) as Partial<RequirementAnswer>;
    return kept.kind === 'known' && Array.isArray(kept.estimate?.parts) && Array.isArray(kept.pinned)
      ? (kept as RequirementAnswer)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What cannot be kept is worked out again. */
function keep(file: string, key: string, answer: RequirementAnswer): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const json = JSON.stringify(answer);
    writeOwnFile(file, `${sumOf(key, json)}\n${json}`);
  } catch {
    return;
  }
}

function sumOf(key: string, json: string): string {
  return fingerprint(`${key}\n${json}`);
}

function fileOf(key: string, { cacheDir }: RequirementRequest): string {
  return join(cacheDir, FOLDER, `${fingerprint(key)}.json`);
}

/** Names every file that the estimate is read from; undefined for a model that is not on this machine. */
function cacheKey({ words, env, cwd, source, accelerator, program, seen }: RequirementRequest): string | undefined {
  if (!source.startsWith('/')) return undefined;
  const shard = parseShardName(source);
  const named = [...words, ...Object.values(env)].filter((word) => word !== undefined);
  if (named.some((word) => DRAFT_REPOSITORY.has(word)) || env.LLAMA_ARG_SPEC_DRAFT_HF_REPO) return undefined;
  const beside = named
    .map((word) => resolve(cwd, word))
    .filter((path, i) => /\.gguf/i.test(named[i] ?? '') || isFile(path));
  const files = [WORKER, program, ...(shard === undefined ? [source] : shardPaths(shard)), ...beside].map(identity);
  if (files.includes(undefined)) return undefined;
  return JSON.stringify([words, env, cwd, accelerator, process.arch, files, seen]);
}

/** What names a draft on the hub, where it may change. */
const DRAFT_REPOSITORY = new Set(['-hfd', '-hfrd', '--hf-repo-draft', '--spec-draft-hf']);

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function identity(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${path} ${found.dev} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
}

async function askWorker(request: RequirementRequest, env: NodeJS.ProcessEnv): Promise<RequirementAnswer> {
  const worker = spawn(process.execPath, [WORKER], { stdio: ['pipe', 'pipe', 'inherit'], env });
  worker.stdin.on('error', () => undefined);
  worker.stdin.end(JSON.stringify(request));
  let text = '';
  worker.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise<void>((resolve) => void worker.once('close', () => resolve()).once('error', () => resolve()));
  try {
    return JSON.parse(text) as RequirementAnswer;
  } catch {
    throw new CheckIncompleteError(
      'ESTIMATE_FAILED',
      'the process that works out the requirement ended without an answer',
    );
  }
}
