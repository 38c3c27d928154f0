import { describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSize } from '../../../src/lib/report/words/bytes.js';
import { askCli } from '../../support/cli-session.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const CODER = ['qwen-coder-32b', '--offline', '--in-use', '0'];
const MAC = ['--accelerator', 'metal', '--system-memory'];
const CARD = ['--accelerator', 'cuda', '--system-memory', '64Gi', '--gpu-memory'];

const MACHINES: readonly (readonly [string, readonly string[], readonly RegExp[]])[] = [
  ['a Mac whose memory decides', [...MAC, '64Gi'], [/21\.\dGB$/]],
  ['a Mac whose GPU decides', [...MAC, '32Gi', '--memory-fraction', '1'], [/20\.\dGB +GPU$/, /21\.\dGB +in all$/]],
  ['a card', [...CARD, '24Gi'], [/20\.\dGB +GPU$/, /\dMB +host$/]],
  ['a GPU that borrows', [...CARD, '30Gi', '--unified-memory'], [/20\.\dGB +GPU$/, /21\.\dGB +in all$/]],
];

describe.each(MACHINES)('the requirement on %s', (_name, machine, rows) => {
  const args = [...CODER, ...machine];

  test('is the same in text, in JSON, beside another model and on the page, the decisive first', async () => {
    const { path, remove } = await temporaryFolder();
    const page = join(path, 'page.html');
    const { stdout } = await askCli(['check-memory', ...args, '--html', page]);
    const { stdout: answer } = await askCli(['check-memory', ...args, '--json']);
    const { stdout: table } = await askCli(['compare', 'phi-4-mini', ...args]);
    const html = await readFile(page, 'utf8');
    await remove();
    const { requirementBytes } = JSON.parse(answer) as { requirementBytes: number };
    const required = formatSize(requirementBytes);
    const shown = stdout.split('\n').filter((line) => line.startsWith('  requirement'));
    expect(shown).toEqual(rows.map((row) => expect.stringMatching(row)));
    expect(shown[0]?.split(/ +/)[2]).toBe(required);
    expect(/^requirement .* (\S+)$/m.exec(table)?.[1]).toBe(required);
    expect(/requirement<\/th><td title="(\d+) bytes">/.exec(html)?.[1]).toBe(String(requirementBytes));
  });
});

test('where the memory of a card is not known, it is said how much of everything would lie there', async () => {
  const { stderr, exitCode } = await askCli(['check-memory', ...CODER, ...CARD.slice(0, -1)]);
  expect(stderr).toMatch(/^ {2}Estimated requirement: ~21\.\dGB in all, 20\.\dGB of it on the GPU$/m);
  expect(exitCode).toBe(3);
});
