import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cliEnvironment, run } from '../../../support/run-cli.js';
import { hasTerminal, runOnTerminal } from '../../../support/terminal.js';

const INTERRUPT = fileURLToPath(new URL('../../../../dist/lib/cli/terminal/interrupt.js', import.meta.url));

const OUT = fileURLToPath(new URL('../../../../dist/lib/cli/terminal/out.js', import.meta.url));

/** Told to end, it does not. */
const PROGRAM = `
import { interruptSignal } from ${JSON.stringify(INTERRUPT)};
const { signal } = interruptSignal();
signal.addEventListener('abort', () => process.stdout.write('asked'));
setInterval(() => undefined, 1000);
process.stdout.write('ready');
`;

test('the second Ctrl-C ends a program that goes on after the first, as a shell reports it', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM]);
  for (const word of ['ready', 'asked']) {
    expect(String((await once(child.stdout, 'data'))[0])).toBe(word);
    child.kill('SIGINT');
  }
  // Without it, the signal itself would end the program a little later, and there would be no exit code.
  expect(await once(child, 'exit')).toEqual([130, null]);
});

const SIGNALS: readonly (readonly [NodeJS.Signals, string, number])[] = [
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGINT', 'Ctrl-C', 130],
];

/** Is sent a signal at one moment of its work, and says what it makes of it. */
function workingProgram(signal: NodeJS.Signals, moment: string): string {
  return `
import { interruptible } from ${JSON.stringify(INTERRUPT)};
const compute = (ms) => { for (const end = Date.now() + ms; Date.now() < end;) Math.sqrt(end); };
const now = (moment) => { if (moment === ${JSON.stringify(moment)}) process.kill(process.pid, '${signal}'); };
const rest = () => new Promise((resolve) => setTimeout(resolve, 20));
try {
  await interruptible(async () => {
    now('before anything was read');
    await rest();
    compute(20);
    now('while the last part is computed');
    compute(20);
    await 0;
    now('as the work ends');
  });
  process.stdout.write('not heard');
} catch (error) {
  process.stdout.write(error.message);
  process.exitCode = error.exitCode;
}`;
}

const MOMENTS = ['before anything was read', 'while the last part is computed', 'as the work ends'];

test.each(MOMENTS.flatMap((moment) => SIGNALS.map((signal) => [moment, ...signal] as const)))(
  'is heard %s: %s',
  async (moment, signal, name, exitCode) => {
    const words = ['--input-type=module', '-e', workingProgram(signal, moment)];
    expect(await run(process.execPath, words, cliEnvironment())).toEqual({
      stdout: `stopped by ${name} before everything was read; nothing was changed`,
      stderr: '',
      exitCode,
    });
  },
);

/** Shows a spinner, and computes afterwards until it is ended. */
const COMPUTING = `
import { startSpinner } from ${JSON.stringify(OUT)};
const spinner = await startSpinner('Reading');
await new Promise((resolve) => setTimeout(resolve, 200));
spinner.stop();
process.kill(process.pid, 'SIGTERM');
for (const end = Date.now() + 5000; Date.now() < end;) Math.sqrt(end);
process.exit(0);
`;

(hasTerminal ? test : test.skip)('a signal ends what is computed after a spinner was shown, at once', async () => {
  const { exitCode } = await runOnTerminal([process.execPath, '--input-type=module', '-e', COMPUTING], process.env);
  expect(exitCode).toBe(143);
});
