import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { mapLimited } from '../../src/lib/source/map-limited.js';
import { cliEnvironment, RUN_JS } from '../support/run-cli.js';
import { temporaryFolder } from '../support/sparse-file.js';
import { writeTinyModel } from '../support/tiny-model.js';

jest.setTimeout(180_000);

const OUTPUT_FAILED = 5;
const READER_GONE = 141;
const MACHINE = ['--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '0'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder.path, 'tiny.gguf');
  await writeTinyModel(model);
});
afterAll(() => folder.remove());

/** Every command that answers without a cluster, as text and as JSON. */
function commands(): string[][] {
  const texts = [
    ['check-memory', model, ...MACHINE],
    ['fit', model, ...MACHINE],
    ['compare', model, model, ...MACHINE],
    ['inspect', model, '--tensors'],
    ['catalog', 'list'],
    ['catalog', 'info', 'llama-3.2-3b'],
    ['ledger'],
    ['cache', 'info'],
    ['deploy', model, '--dry-run', 'client', '--accelerator', 'cpu', '--memory-check', 'off'],
  ];
  return texts.flatMap((words) => [words, [...words, '--json']]);
}

function exitCodeOf(words: readonly string[], stdout: number | 'pipe'): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [RUN_JS, ...words], {
      env: cliEnvironment({ LLMKUBE_STATE_DIR: join(folder.path, 'state') }),
      stdio: ['ignore', stdout, 'ignore'],
    });
    // A reader that goes away at once, as `head -c 0` does.
    child.stdout?.destroy();
    child.on('close', resolve);
  });
}

describe('an answer that cannot be written is no verdict', () => {
  const whereFull = existsSync('/dev/full') ? test : test.skip;
  whereFull('on a full disk: exit 5', async () => {
    const full = openSync('/dev/full', 'w');
    const codes = await mapLimited(commands(), 2, async (words) => [words.join(' '), await exitCodeOf(words, full)]);
    closeSync(full);
    expect(codes).toEqual(commands().map((words) => [words.join(' '), OUTPUT_FAILED]));
  });

  test('to a reader that is gone: as the shell has it', async () => {
    const codes = await mapLimited(commands(), 2, async (words) => [words.join(' '), await exitCodeOf(words, 'pipe')]);
    expect(codes).toEqual(commands().map((words) => [words.join(' '), READER_GONE]));
  });
});
