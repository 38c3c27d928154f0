import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly requests: number;
  readonly bytes: number;
}

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const server = fork(here('server.js'));
const { files } = await message<{ files: { name: string; url: string; headerBytes: number }[] }>(server);
const cache = await mkdtemp(join(tmpdir(), 'llmkube-bench-'));
const readers = ['bytes alone', 'llmkube', 'llmkube, cached', '@huggingface/gguf'];
if (isInstalled('node-llama-cpp')) readers.push('node-llama-cpp');
else console.log('node-llama-cpp is not installed (npm install --omit=optional --prefix bench), so it is left out.\n');

console.log('header    reader               wall ms    x   CPU ms    x  requests  bytes sent  over header');
for (const { name, url, headerBytes } of files) {
  await measure('llmkube, cached', url, headerBytes);
  const samples = new Map<string, Sample[]>(readers.map((reader) => [reader, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const reader of readers) samples.get(reader)?.push(await measure(reader, url, headerBytes));
  }
  const base = median(samples.get('bytes alone') ?? []);
  for (const [reader, rows] of samples) console.log(line(name, reader, median(rows), base, headerBytes));
}
server.disconnect();
await rm(cache, { recursive: true });

async function measure(reader: string, url: string, headerBytes: number): Promise<Sample> {
  const child = fork(here('reader.js'), [reader, url, String(headerBytes)], {
    env: { ...process.env, BENCH_CACHE: cache },
  });
  const times = await message<{ wallMs: number; cpuMs: number }>(child);
  await once(child, 'exit');
  server.send('sent?');
  return { ...times, ...(await message<{ requests: number; bytes: number }>(server)) };
}

/** The next message of a process; the promise fails when the process ends instead. */
async function message<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const onExit = (code: number | null): void => ended.abort(new Error(`a process of the benchmark ended: ${code}`));
  child.once('exit', onExit);
  try {
    const [value] = (await once(child, 'message', { signal: ended.signal })) as [T];
    return value;
  } finally {
    child.off('exit', onExit);
  }
}

function median(rows: readonly Sample[]): Sample {
  const of = (key: keyof Sample): number => rows.map((row) => row[key]).sort((a, b) => a - b)[rows.length >> 1] ?? NaN;
  return { wallMs: of('wallMs'), cpuMs: of('cpuMs'), requests: of('requests'), bytes: of('bytes') };
}

function line(file: string, reader: string, row: Sample, base: Sample, headerBytes: number): string {
  const factor = (value: number): string => value.toFixed(2).padStart(5);
  return [
    file.padEnd(9),
    reader.padEnd(20),
    row.wallMs.toFixed(0).padStart(7),
    factor(row.wallMs / base.wallMs),
    row.cpuMs.toFixed(0).padStart(7),
    factor(row.cpuMs / base.cpuMs),
    String(row.requests).padStart(8),
    String(row.bytes).padStart(11),
    `${((row.bytes - headerBytes) / 1024).toFixed(0)} KiB`.padStart(11),
  ].join(' ');
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}
