import { expect, test } from '@jest/globals';
import { cliEnvironment, run, RUN_JS } from '../support/run-cli.js';

/** Makes the streams say that they are a terminal, which pipes are not. */
const ON_A_TERMINAL = `data:text/javascript,${encodeURIComponent(
  'for (const s of [process.stdout, process.stderr]) Object.assign(s, {isTTY: true, columns: 80, getWindowSize: () => [80, 24]})',
)}`;

test.each(['check-memory', 'fit'])('%s works on a terminal as it does in a pipe', async (command) => {
  const machine = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '4Gi', '--offline'];
  const args = ['--import', ON_A_TERMINAL, RUN_JS, command, 'phi-4', ...machine];
  const { stdout, stderr, exitCode } = await run(
    process.execPath,
    args,
    cliEnvironment({ NO_COLOR: '1', TERM: 'xterm' }),
  );
  expect(stderr).not.toContain('TypeError');
  expect(stdout).toContain('phi-4');
  expect(exitCode).toBe(0);
});
