import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildGguf } from '../support/gguf-writer.js';
import { profileSpec, readProfile } from '../support/profile.js';
import { RangeServer } from '../support/range-server.js';
import { type CliResult, cliEnvironment, run, RUN_JS } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';
import { writeTinyModel } from '../support/tiny-model.js';

const SIGNALS: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
];

describe('a signal after the header was read', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  afterEach(async () => {
    await folder.remove();
  });

  /** As a shell reports it: a program that a signal ended has 128 and the signal's number. */
  async function ended(
    signal: NodeJS.Signals,
    args: readonly string[],
    isTime: (printed: () => string) => boolean,
  ): Promise<CliResult> {
    let child: ChildProcess | undefined;
    let printed = '';
    const env = cliEnvironment({ LLMKUBE_CACHE_DIR: folder.path });
    const result = run(process.execPath, [RUN_JS, ...args], env, (started) => {
      child = started;
      started.stdout?.on('data', (text: string) => (printed += text));
    });
    while (!isTime(() => printed)) await new Promise((resolve) => setTimeout(resolve, 2));
    child?.kill(signal);
    const { exitCode, ...texts } = await result;
    const code = SIGNALS.find(([name]) => name === child?.signalCode)?.[1];
    return { ...texts, exitCode: exitCode ?? code ?? null };
  }

  test.each(SIGNALS)('%s ends a search for what would fit, before it has an answer', async (signal, exitCode) => {
    const spec = profileSpec(readProfile('test/oracle/profiles/llama-3.3-70b.Q4_K_M.json'));
    const { header, dataBytes } = buildGguf(spec);
    const server = await RangeServer.start();
    server.serve('/model.gguf', { start: header, size: header.length + dataBytes });
    const machine = ['--accelerator', 'cuda', '--gpu-memory', '24Gi', '--system-memory', '64Gi', '--in-use', '4Gi'];
    const args = ['check-memory', server.url('/model.gguf'), ...machine, '--ctx-size', '131072'];
    const isKept = (): boolean =>
      readdirSync(folder.path, { recursive: true }).some((name) => /[0-9a-f]{32}\.json$/.test(String(name)));
    const found = await ended(signal, args, isKept).finally(() => server.close());
    expect(found).toMatchObject({ stdout: '', exitCode });
    expect(found.stderr).not.toContain('insufficient memory');
  });

  test.each(SIGNALS)('%s ends a verdict that is watched, between two looks', async (signal, exitCode) => {
    const model = join(folder.path, 'tiny.gguf');
    await writeTinyModel(model);
    const args = ['check-memory', model, '--accelerator', 'cpu', '--watch'];
    const found = await ended(signal, args, (printed) => printed().endsWith('\n\n'));
    expect(found).toMatchObject({ stderr: '', exitCode });
  });
});
