import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askCli } from './support/cli-session.js';
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

describe('what the README shows is what the program prints', () => {
  const shown = [...read('README.md').matchAll(/\$ (llmkube check-memory .*)\n([\s\S]*?)\n(?:\$ |```)/g)];

  test('a refusal and a launch that fits', () => {
    expect(shown.map(([, , output = '']) => output.split(' ')[0])).toEqual(['Error:', 'FITS']);
  });

  test.each(shown.map(([, command = '', output = '']) => [command, output]))('%s', async (command, output) => {
    const args = [...command.split(' ').slice(1), '--offline'];
    const env = { ...cliEnvironment(), LLMKUBE_LLAMA_CPP: undefined };
    const { stdout, stderr } = await run(process.execPath, [join(root, 'bin/run.js'), ...args], env);
    expect(`${stdout}${stderr}`.slice(0, output.length)).toBe(output);
  });
});

describe('docs/questions.md shows what the program prints', () => {
  const shown = [...read('docs/questions.md').matchAll(/```console\n\$ (llmkube .*)\n([\s\S]*?)\n```/g)];

  test('to seven questions', () => {
    expect([...read('docs/questions.md').matchAll(/^## .*\?$/gm)]).toHaveLength(7);
    expect(shown.length).toBeGreaterThan(7);
  });

  test.each(shown.map(([, command = '', output = '']) => [command, output]))('%s', async (command, output) => {
    const args = [...command.split(' ').slice(1), '--offline'];
    const { stdout, stderr } = await askCli(args, { COLUMNS: '80', LLMKUBE_LLAMA_CPP: 'v0.8.0' });
    expect(`${stdout}${stderr}`).toContain(output);
  });
});
