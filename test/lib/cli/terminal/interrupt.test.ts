import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const INTERRUPT = fileURLToPath(new URL('../../../../dist/lib/cli/terminal/interrupt.js', import.meta.url));

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
