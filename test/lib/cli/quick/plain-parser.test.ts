import { describe, expect, test } from '@jest/globals';
import { parse } from '@oclif/core/parser';
import CheckMemory from '../../../../src/commands/check-memory.js';
import Compare from '../../../../src/commands/compare.js';
import Deploy from '../../../../src/commands/deploy.js';
import List from '../../../../src/commands/list.js';
import { parsePlainly, type ParserInput } from '../../../../src/lib/cli/quick/plain-parser.js';

type Specs = Pick<ParserInput, 'flags'> & Partial<ParserInput>;

const COMMANDS = { CheckMemory, Compare, Deploy, List };

/** Of a command, and words as `readCommandLine` writes them. */
function inputOf(name: keyof typeof COMMANDS, argv: string[]): ParserInput {
  const { args, flags, strict = true } = COMMANDS[name] as unknown as Specs;
  return { argv, args: args ?? {}, flags, strict, context: {} };
}

function byDefault(metadata: Readonly<Record<string, { readonly setFromDefault?: boolean }>>): string[] {
  return Object.keys(metadata).filter((name) => metadata[name]?.setFromDefault);
}

describe('a plain command line is what oclif reads in it', () => {
  test.each<[name: keyof typeof COMMANDS, argv: string[]]>([
    ['CheckMemory', ['qwen-coder-7b']],
    [
      'CheckMemory',
      ['qwen-coder-7b', '--no-mmap', '--ctx-size', '8k', '--gpu-layers', '-1', '--system-memory', '32Gi'],
    ],
    ['CheckMemory', ['', '--offline', '--extra-args', ' -ctk q8_0', '--extra-args', '-1', '--table', '--by', 'slots']],
    ['CheckMemory', ['-', '--memory-check', 'off', '--image-min-tokens', '12']],
    ['Compare', ['b', 'a', 'b', 'c', '--kv-unified']],
    ['Deploy', ['m', '--env', 'A=1', '--env', 'B=2', '--namespace', 'default', '--timeout', '3m']],
    ['List', []],
    ['List', ['models', '--all-namespaces']],
  ])('%s %j', async (name, argv) => {
    const { argv: words, ...options } = inputOf(name, argv);
    const { metadata, ...read } = await parse(words, options as never);
    const found = await parsePlainly(inputOf(name, argv));
    expect(found).toMatchObject(read);
    expect(Object.keys(found?.flags ?? {})).toEqual(Object.keys(read.flags));
    expect(Object.keys(found?.metadata.flags ?? {})).toEqual(byDefault(metadata.flags));
  });
});

describe('a command line with a mistake is left to oclif', () => {
  test.each<[name: keyof typeof COMMANDS, argv: string[]]>([
    ['CheckMemory', []],
    ['CheckMemory', ['one', 'two']],
    ['CheckMemory', ['one', '--ctx-size']],
    ['CheckMemory', ['one', '--ctx-size', 'many']],
    ['CheckMemory', ['one', '--accelerator', 'tpu']],
    ['CheckMemory', ['one', '--by', 'slots']],
    ['CheckMemory', ['one', '--mmproj', 'a', '--no-mmproj']],
    ['CheckMemory', ['one', '--no-offline']],
    ['CheckMemory', ['one', '--image-min-tokens', '0']],
    ['CheckMemory', ['one', '--file', '-q']],
    ['List', ['pods']],
  ])('%s %j', async (name, argv) => {
    const { argv: words, ...options } = inputOf(name, argv);
    expect(await parsePlainly(inputOf(name, argv))).toBeUndefined();
    await expect(parse(words, options as never)).rejects.toThrow();
  });
});

test.each([[['one', '--']], [['-5']]])(
  'words that are neither flags nor plain arguments are left to oclif: %j',
  async (argv) => {
    expect(await parsePlainly(inputOf('CheckMemory', argv))).toBeUndefined();
  },
);
