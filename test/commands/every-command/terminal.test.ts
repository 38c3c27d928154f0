import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stripVTControlCharacters } from 'node:util';
import { bigModel } from '../../support/models/small-models.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { cliEnvironment, RUN_JS } from '../../support/run-cli.js';
import { hasTerminal, runOnTerminal } from '../../support/terminal.js';

const CHECK = [process.execPath, RUN_JS, 'check-memory'];
const MAC = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '0'];

(hasTerminal ? describe : describe.skip)('on a terminal', () => {
  let server: RangeServer;

  beforeEach(async () => {
    server = await RangeServer.start();
  });

  afterEach(async () => {
    await server.close();
  });

  test('check-memory shows what it shows elsewhere, in colour and without a spinner for a bundled header', async () => {
    const { shown, exitCode } = await runOnTerminal([...CHECK, 'phi-4', '--offline', ...MAC], cliEnvironment());
    expect(shown).toContain('phi-4');
    expect(shown).toContain('\u001b[1m');
    expect(shown).not.toContain('Reading');
    expect(exitCode).toBe(0);
  });

  test('a long reading says how far it is, without what is secret, and ends with Ctrl-C', async () => {
    server.serve('/model.gguf', bigModel()).fail('/model.gguf', { kind: 'stall', afterBytes: 2 ** 21 });
    const url = `${server.url('/model.gguf').replace('//', '//user:secret@')}?signature=secret`;
    const { shown, exitCode } = await runOnTerminal([...CHECK, url, ...MAC], cliEnvironment(), ({ stdin, stdout }) => {
      stdout?.on('data', (text: string) => {
        if (text.includes('(2MB)')) stdin?.write('\u0003');
      });
    });
    expect(shown).toContain(`Reading the header of ${server.url('/model.gguf')} (2MB)`);
    expect(shown).toContain('Error: stopped by Ctrl-C before everything was read; nothing was changed');
    expect(shown).not.toContain('secret');
    expect(exitCode).toBe(130);
  });

  test.each([60, 80, 120])('help keeps within %i columns, and commands to copy with it', async (columns) => {
    const narrow = ['/bin/sh', '-c', `stty cols ${columns}; exec "$@"`, 'sh', ...CHECK, '--help'];
    const { shown } = await runOnTerminal(narrow, cliEnvironment());
    const lines = stripVTControlCharacters(shown).split(/\r?\n/);
    expect(lines.some((line) => line.includes('--ctx-size'))).toBe(true);
    expect(lines.filter((line) => line.length > columns && !isOneWord(line))).toEqual([]);
    const examples = lines.slice(lines.indexOf('EXAMPLES') + 1).join('\n');
    expect(examples.replaceAll(/ \\\n +/g, ' ')).toContain('--accelerator metal --system-memory 32Gi --in-use 3.4Gi\n');
  });
});

/** A source, or an option with its value, that no line holds. */
function isOneWord(line: string): boolean {
  return /^ *(?:\S+ )?\S+(?: \\)?$/.test(line);
}
