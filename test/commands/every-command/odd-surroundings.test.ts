import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { join } from 'node:path';
import { cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';

jest.setTimeout(60_000);

const preloaded = (code: string) => `--import=data:text/javascript,${encodeURIComponent(code)}`;
/** As for a user by number, whom the system does not know, in a container. */
const NO_HOME = preloaded(`import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
os.homedir = () => { if (process.env.HOME) return process.env.HOME; throw new Error('uv_os_homedir returned ENOENT'); };
syncBuiltinESMExports();`);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let model: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  model = join(folder.path, 'tiny.gguf');
  await writeTinyModel(model);
});
afterAll(() => folder.remove());

const MACHINE = ['--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '0'];

function cli(words: readonly string[], NODE_OPTIONS: string) {
  const env = cliEnvironment({ NODE_OPTIONS, XDG_CACHE_HOME: folder.path });
  return run(process.execPath, [RUN_JS, ...words], { ...env, HOME: undefined });
}

test.each([
  [0, ['version']],
  [0, ['help']],
  [0, ['ledger']],
  [0, ['doctor']],
  [0, ['check-memory', 'MODEL', ...MACHINE]],
  [2, ['exec', '--', 'no-such-llama-server', '-m', 'MODEL']],
  [3, ['check-memory', 'MODEL.gone', ...MACHINE]],
  [1, ['check-memory', 'MODEL', ...MACHINE.with(3, '64Mi')]],
])('a user without a home folder gets the answer, exit %i: %j', async (code, words) => {
  const { exitCode, stderr } = await cli(
    words.map((word) => word.replace('MODEL', model)),
    NO_HOME,
  );
  expect(stderr).not.toContain('homedir');
  expect(exitCode).toBe(code);
});

test('a fault that nobody has caught is no answer: it ends with 3, never with the 1 of what does not fit', async () => {
  const fault = preloaded("setImmediate(() => { throw new Error('a fault\\u001b[2J') });");
  const { exitCode, stdout, stderr } = await cli(['check-memory', model, ...MACHINE], fault);
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  expect(stderr).toBe(
    'Error: unexpected Error: a fault?[2J\n  Suggestion: run it again with DEBUG=* for the stack trace, and report it\n',
  );
});
