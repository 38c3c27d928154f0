import { expect, test } from '@jest/globals';
import { splitWords } from '../../src/lib/runtime/server-arguments.js';
import { readServerCommand } from '../../src/lib/runtime/server-command.js';
import { runCli } from '../support/run-cli.js';

const ROOM = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '4Gi', '--offline'];
const SMALL = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi', '--offline'];
const REPOSITORY = 'bartowski/Qwen2.5-Coder-32B-Instruct-GGUF';

/** A command of several lines, as a shell would split it. */
const words = (text: string): string[] => splitWords(text.replaceAll('\\\n', ' '));

test('the command that is printed loads the same model with the same options', async () => {
  const asked = [
    '--ctx-size',
    '16384',
    '--cache-type-k',
    'q8_0',
    '--cache-type-v',
    'q8_0',
    '--extra-args',
    '-np 2 --jinja',
  ];
  const { stdout } = await runCli(['check-memory', 'qwen-coder-32b', ...ROOM, ...asked, '--print', 'llama-server']);
  const [program, ...rest] = words(stdout.slice(stdout.indexOf('llama-server')));
  expect(program).toBe('llama-server');
  expect(readServerCommand(rest, {}, '/')).toMatchObject({
    source: `hf:${REPOSITORY}/Qwen2.5-Coder-32B-Instruct-Q4_K_M.gguf`,
    patch: { ctxSize: 16384, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0', parallel: 2, mmprojAuto: false },
  });
  expect(rest).toContain('--jinja');
});

test('under each piece of advice stands the command that takes it, broken nowhere inside a word', async () => {
  const { stderr, exitCode } = await runCli(['check-memory', 'qwen-coder-32b', ...SMALL, '--print', 'exec']);
  const commands = stderr
    .split(/llmkube exec --accelerator metal (?:--memory-fraction \S+ )?-- (?:\\\n +)?llama-server /)
    .slice(1);
  const [smaller] = commands.map((text) => words(/^(?:.*\\\n)*.*/.exec(text)?.[0] ?? ''));
  expect([exitCode, commands.length > 2]).toEqual([1, true]);
  expect(readServerCommand(smaller?.filter((word) => word !== '') ?? [], {}, '/')).toMatchObject({
    source: expect.stringMatching(/Qwen2\.5-Coder-32B-Instruct-IQ4_XS\.gguf$/),
    patch: { ctxSize: 5120, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' },
  });
});

test('an exec judges by the share of memory that was typed, or that is advised', async () => {
  const typed = await runCli([
    'check-memory',
    'phi-4',
    ...ROOM,
    '--memory-fraction',
    '0.9',
    '--print',
    'exec',
    '--json',
  ]);
  expect((JSON.parse(typed.stdout) as { command: string }).command).toMatch(
    /^llmkube exec --accelerator metal --memory-fraction 0\.9 -- llama-server /,
  );
  const advised = await runCli(['check-memory', 'qwen-coder-32b', ...SMALL, '--print', 'exec']);
  expect(words(advised.stderr).join(' ')).toMatch(/exec --accelerator metal --memory-fraction 0\.\d+ -- llama-server /);
});

test('an exec names the GPU that nobody typed, for it asks where one could be used', async () => {
  const args = ['check-memory', 'phi-4', '--offline', '--print', 'exec', '--json'];
  const env = { LLMKUBE_ACCELERATOR: 'cuda', LLMKUBE_GPU_MEMORY: '48Gi', LLMKUBE_SYSTEM_MEMORY: '64Gi' };
  const { command } = JSON.parse((await runCli(args, env)).stdout) as { command: string };
  expect(command).toMatch(/^llmkube exec --accelerator cuda -- llama-server /);
});

test('a deploy is printed with what was typed, and no more', async () => {
  const { stdout } = await runCli(['check-memory', 'qwen-coder-32b', ...ROOM, '--print', 'deploy', '--json']);
  const { command } = JSON.parse(stdout) as { command: string };
  expect(command.replace(/ --llama-cpp \S+/, '')).toBe(
    'llmkube deploy qwen-coder-32b --accelerator metal --system-memory 64Gi --in-use 4Gi',
  );
});

test('fit prints the best launch as llama-server takes it', async () => {
  const { stdout } = await runCli(['fit', 'qwen-coder-32b', ...SMALL, '--print', 'llama-server', '--json']);
  const { command, launch } = JSON.parse(stdout) as { command: string; launch: { nCtx: number; cacheTypeK: string } };
  const [, ...rest] = splitWords(command);
  expect(readServerCommand(rest, {}, '/')).toMatchObject({ patch: { ctxSize: launch.nCtx } });
  expect(command).toContain(`--hf-repo ${REPOSITORY}`);
});
