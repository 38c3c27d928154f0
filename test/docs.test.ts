import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cliEnvironment, run } from './support/run-cli.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(join(folder, path)));
}

describe('docs/exit-codes.md', () => {
  const documented = [...read('docs/exit-codes.md').matchAll(/`([A-Z][A-Z0-9_]*\*?)`/g)].map(([, code = '']) => code);
  const codes = sources('src').flatMap((text) =>
    [...text.matchAll(/new \w+Error\(\s*'([A-Z][A-Z0-9_]*)'/g)].map(([, code = '']) => code),
  );

  test.each([...new Set(codes)].sort())('knows %s', (code) => {
    const known = documented.some((entry) =>
      entry.endsWith('*') ? code.startsWith(entry.slice(0, -1)) : entry === code,
    );
    expect(known).toBe(true);
  });
});

test('the refusal in the README is what the program prints', async () => {
  const [, command = '', output = ''] =
    /\$ (llmkube check-memory .*)\n(Error.*\n(?:(?: {2}.*)?\n)+)/.exec(read('README.md')) ?? [];
  const args = command.split(' ').slice(1);
  const { stderr } = await run(process.execPath, [join(root, 'bin/run.js'), ...args, '--offline'], cliEnvironment());
  expect(output).toContain('Estimated requirement');
  expect(output).toContain('by the same check');
  expect(stderr.startsWith(output)).toBe(true);
});
