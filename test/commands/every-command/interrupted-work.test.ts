import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { type CliResult, cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';

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

  test.each(SIGNALS)('%s ends a verdict that is watched, between two looks', async (signal, exitCode) => {
    const model = join(folder.path, 'tiny.gguf');
    await writeTinyModel(model);
    const args = ['check-memory', model, '--accelerator', 'cpu', '--watch'];
    const found = await ended(signal, args, (printed) => printed().endsWith('\n\n'));
    expect(found).toMatchObject({ stderr: '', exitCode });
  });
});
