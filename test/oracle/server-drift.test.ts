import { afterEach, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { estimateMemory } from '../../src/lib/estimate/estimate-memory.js';
import type { PartName } from '../../src/lib/estimate/memory-estimate.js';
import { describeModel } from '../../src/lib/model/describe-model.js';
import type { LaunchOptions } from '../../src/lib/runtime/launch-options.js';
import { readGgufHeader } from '../../src/lib/source/read-header.js';
import { PROFILES } from './cases.js';

const FOLDER = join(PROFILES, '../llama-server');
const PYTHON = join(FOLDER, 'venv/bin/python');
const model = (name: string): string => join(FOLDER, 'models', name);
const installed = existsSync(PYTHON) && existsSync(model('SmolLM2-135M.Q4_1.gguf'));

let server: ChildProcess | undefined;
afterEach(() => {
  server?.kill('SIGKILL');
});

/** The sizes in MiB that the server's log gives its buffers, summed by what they hold. */
async function buffersOf(file: string, context: number, port: number): Promise<Record<string, number>> {
  const started = spawn(PYTHON, [join(FOLDER, 'serve.py'), file, String(port), String(context)]);
  server = started;
  let [log, said] = ['', ''];
  started.stderr.on('data', (data: Buffer) => {
    log += data.toString();
  });
  // By itself: between two pieces of the log it would stand within a line.
  started.stdout.on('data', (data: Buffer) => {
    said += data.toString();
    if (/^ready$/m.test(said)) started.kill('SIGKILL');
  });
  // Once it has ended, all that it wrote was read.
  const [code, signal] = (await once(started, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the server ended with ${code ?? signal}:\n${log.slice(-2000)}`);
  log += said;
  const sums: Record<string, number> = {};
  for (const [, device = '', kind = '', size] of log.matchAll(
    /(\S+)\s+(model|KV|compute|output) buffer size = +([\d.]+) MiB/g,
  )) {
    const key = kind === 'model' && device.includes('REPACK') ? 'copied' : kind;
    sums[key] = (sums[key] ?? 0) + Number(size);
  }
  return sums;
}

function mebibytes(shape: Awaited<ReturnType<typeof describeModel>>, launch: LaunchOptions): Record<string, number> {
  const { parts } = estimateMemory(shape, launch);
  const sum = (...names: PartName[]): number =>
    parts.filter(({ name }) => names.includes(name)).reduce((total, { bytes }) => total + bytes, 0) / 2 ** 20;
  return { copied: sum('weights-copy'), KV: sum('kv-cache'), compute: sum('compute'), output: sum('output') };
}

(installed ? describe : describe.skip)('a running llama.cpp server (b11549) reserves what is estimated', () => {
  test.each([
    ['SmolLM2-135M.Q4_1.gguf', 8192],
    ['gemma-3-270m.Q4_K_M.gguf', 8192],
  ])(
    '%s with %i tokens',
    async (name, ctxSize) => {
      const file = model(name);
      const measured = await buffersOf(file, ctxSize, 18_400 + (process.pid % 1000));
      const shape = describeModel(await readGgufHeader(file));
      const cpuArch = process.arch === 'arm64' ? 'arm' : 'x86';
      const ours = mebibytes(shape, { accelerator: 'cpu', cpuArch, ctxSize, llamaCpp: 'b11549' });
      for (const [part, size] of Object.entries(ours)) {
        expect(`${part} ${size.toFixed(1)}`).toBe(`${part} ${(measured[part] ?? 0).toFixed(1)}`);
      }
    },
    120_000,
  );
});

if (!installed) {
  test.skip('a running server is asked only where Python is: node test/oracle/llama-server/install.mjs', () =>
    undefined);
}
