import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { splitWords } from '../src/lib/runtime/server-arguments.js';
import { readServerCommand } from '../src/lib/runtime/server-command.js';

const page = readFileSync(new URL('../docs/guard.md', import.meta.url), 'utf8');

const block = (language: string, holding = ''): string =>
  [...page.matchAll(/```(\w+)\n(.*?)```/gs)].find(
    ([, name, text = '']) => name === language && text.includes(holding),
  )?.[2] ?? '';

/** What stands behind the guard's two dashes is read as a launch. */
function expectLaunch(words: readonly string[]): void {
  const [before, after] = [words.slice(0, words.indexOf('--')), words.slice(words.indexOf('--') + 1)];
  expect(before.slice(-1)).toEqual(['exec']);
  expect(after[0]).toMatch(/(^|\/)llama-server$/);
  expect(readServerCommand(after.slice(1), {}, '/')).toMatchObject({ kind: 'loads', remarks: [] });
}

describe('docs/guard.md has lines to paste', () => {
  test('for launchd: a property list whose tags close in order', () => {
    const plist = block('xml');
    const open: string[] = [];
    for (const [, end, name = '', empty] of plist.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (end === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    const [, array = ''] = /<key>ProgramArguments<\/key>\s*<array>(.*?)<\/array>/s.exec(plist) ?? [];
    expectLaunch([...array.matchAll(/<string>(.*?)<\/string>/g)].map(([, word = '']) => word));
  });

  test('for systemd: sections of assignments', () => {
    const unit = block('ini');
    for (const line of unit.split('\n').filter((text) => text !== '')) expect(line).toMatch(/^(\[\w+\]|[A-Za-z]+=.+)$/);
    expectLaunch(splitWords(/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? ''));
  });

  test('for llama-swap: commands with its port', () => {
    const { models } = load(block('yaml')) as { models: Record<string, { cmd: string }> };
    expect(Object.keys(models)).toEqual(['coder', 'chat']);
    for (const { cmd } of Object.values(models)) expectLaunch(splitWords(cmd.replace('${PORT}', '8080')));
  });

  test('for LLMKube’s agent: a script that a shell can read', () => {
    const script = block('sh', '#!/bin/sh');
    expect(spawnSync('/bin/sh', ['-n'], { input: script }).status).toBe(0);
    expectLaunch(splitWords(script.split('\n')[1]?.replace('"$@"', '-m /models/model.gguf') ?? ''));
  });
});
