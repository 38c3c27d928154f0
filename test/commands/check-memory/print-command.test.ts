import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROFILES } from '../../oracle/cases.js';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { splitWords } from '../../../src/lib/runtime/server-arguments.js';
import { readServerCommand } from '../../../src/lib/runtime/server-command.js';
import { run } from '../../support/run-cli.js';
import { askCli } from '../../support/cli-session.js';
import { fakeMachine } from '../../support/fake-machine.js';

const ROOM = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '4Gi', '--offline'];
const SMALL = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi', '--offline'];
const REPOSITORY = 'bartowski/Qwen2.5-Coder-32B-Instruct-GGUF';

const CUDA = ['--accelerator', 'cuda', '--gpu-memory', '8Gi', '--system-memory', '32Gi', '--in-use', '0'];
const NO_ADAPTER = 'no deploy can carry this launch: LLMKube stages no adapter for a service';

interface Printed {
  readonly command: string | null;
  readonly launch: { readonly nCtx: number; readonly gpuLayers: number };
  readonly requirementBytes: number;
}

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
  const { stdout } = await askCli(['check-memory', 'qwen-coder-32b', ...ROOM, ...asked, '--print', 'llama-server']);
  const [program, ...rest] = words(stdout.slice(stdout.indexOf('llama-server')));
  expect(program).toBe('llama-server');
  expect(readServerCommand(rest, {}, '/')).toMatchObject({
    source: `hf:${REPOSITORY}/Qwen2.5-Coder-32B-Instruct-Q4_K_M.gguf`,
    patch: { ctxSize: 16384, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0', parallel: 2, mmprojAuto: false },
  });
  expect(rest).toContain('--jinja');
});

test('what was checked for the CPU keeps llama-server, its draft and its projector from a GPU that is there', async () => {
  const machine = ['--accelerator', 'cpu', '--system-memory', '64Gi', '--in-use', '4Gi', '--offline'];
  const commandOf = async (...asked: string[]) => {
    const { stdout } = await askCli(['check-memory', ...asked, ...machine, '--print', 'llama-server']);
    return words(stdout.slice(stdout.indexOf('llama-server --')).trim());
  };
  const withProjector = await commandOf('gemma-3-4b');
  expect(withProjector.slice(-3)).toEqual(['--no-mmproj-offload', '--device', 'none']);
  expect(withProjector).not.toContain('--n-gpu-layers');

  const { path, remove } = await temporaryFolder();
  const draft = join(path, 'draft.gguf');
  await writeProfile(readProfile(join(PROFILES, 'llama-3.2-3b.Q5_K_M.json')), draft);
  const withDraft = await commandOf('llama-3.1-8b', '--spec-draft-model', draft);
  expect(withDraft.slice(-4)).toEqual(['--spec-draft-device', 'none', '--device', 'none']);
  await remove();
});

test('under each piece of advice stands the command that takes it, broken nowhere inside a word', async () => {
  const { stderr, exitCode } = await askCli(['check-memory', 'qwen-coder-32b', ...SMALL, '--print', 'exec']);
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

test('JSON has the command of each piece of advice, and says nothing of commands that were not asked for', async () => {
  const asked = ['check-memory', 'qwen-coder-32b', ...SMALL, '--json'];
  const suggestions = async (...more: string[]) => {
    const { stdout } = await askCli([...asked, ...more]);
    return (
      JSON.parse(stdout) as { suggestions: { flags: string[]; runFirst: string | null; command?: string | null }[] }
    ).suggestions;
  };
  const [plain, printed] = [await suggestions(), await suggestions('--print', 'deploy')];
  expect(plain.filter((one) => 'command' in one)).toEqual([]);
  expect(printed.length).toBeGreaterThan(2);
  for (const { flags, command } of printed) {
    expect(command).toMatch(/^llmkube deploy qwen-coder-32b /);
    for (const flag of flags) expect(command).toContain(flag);
  }
});

test('what is to be known of the command stands in JSON as it stands beside text', async () => {
  const asked = [
    'check-memory',
    'qwen-coder-32b',
    ...ROOM,
    '--extra-args',
    '--hf-token hf_x',
    '--print',
    'llama-server',
  ];
  const [text, json] = [await askCli(asked), await askCli([...asked, '--json'])];
  const notes = [...text.stderr.matchAll(/^Note: (.*)$/gm)].map(([, note]) => note);
  expect(notes.length).toBeGreaterThan(0);
  expect((JSON.parse(json.stdout) as { warnings: string[] }).warnings).toEqual(expect.arrayContaining(notes));
});

test('an exec judges by the share of memory that was typed, or that is advised', async () => {
  const typed = await askCli([
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
  const advised = await askCli(['check-memory', 'qwen-coder-32b', ...SMALL, '--print', 'exec']);
  expect(words(advised.stderr).join(' ')).toMatch(/exec --accelerator metal --memory-fraction 0\.\d+ -- llama-server /);
});

test('an exec names the GPU that nobody typed, for it asks where one could be used', async () => {
  const args = ['check-memory', 'phi-4', '--offline', '--print', 'exec', '--json'];
  const env = { LLMKUBE_ACCELERATOR: 'cuda', LLMKUBE_GPU_MEMORY: '48Gi', LLMKUBE_SYSTEM_MEMORY: '64Gi' };
  const { command } = JSON.parse((await askCli(args, env)).stdout) as { command: string };
  expect(command).toMatch(/^llmkube exec --accelerator cuda --gpu-memory 48Gi -- llama-server /);
});

test('a deploy is printed with what was typed, and no more', async () => {
  const { stdout } = await askCli(['check-memory', 'qwen-coder-32b', ...ROOM, '--print', 'deploy', '--json']);
  const { command } = JSON.parse(stdout) as { command: string };
  expect(command.replace(/ --llama-cpp \S+/, '')).toBe(
    'llmkube deploy qwen-coder-32b --accelerator metal --system-memory 64Gi --in-use 4Gi',
  );
});

test('fit prints the best launch as llama-server takes it', async () => {
  const { stdout } = await askCli(['fit', 'qwen-coder-32b', ...SMALL, '--print', 'llama-server', '--json']);
  const { command, launch } = JSON.parse(stdout) as { command: string; launch: { nCtx: number; cacheTypeK: string } };
  const [, ...rest] = splitWords(command);
  expect(readServerCommand(rest, {}, '/')).toMatchObject({ patch: { ctxSize: launch.nCtx } });
  expect(command).toContain(`--hf-repo ${REPOSITORY}`);
});

test('an exec keeps the memory of a GPU that was typed, but no list, which it does not take', async () => {
  const printed = async (memory: string): Promise<string | null> => {
    const args = ['check-memory', 'phi-4', '--accelerator', 'cuda', '--gpu-memory', memory, '--offline', '-c', '4096'];
    return (JSON.parse((await askCli([...args, '--print', 'exec', '--json'])).stdout) as Printed).command;
  };
  expect(await printed('48Gi')).toMatch(/^llmkube exec --accelerator cuda --gpu-memory 48Gi -- llama-server /);
  expect(await printed('24Gi,24Gi')).toMatch(/^llmkube exec --accelerator cuda -- llama-server /);
});

describe('a command with something secret', () => {
  const SECRET = 'opensesame';
  const TOLD = ['-c', '8192', '--extra-args', `--api-key ${SECRET} --hf-token ${SECRET} --jinja`];
  const printed = (kind: string) => askCli(['check-memory', 'llama-3.1-8b', ...ROOM, ...TOLD, '--print', kind]);
  const commandIn = (stdout: string): string => stdout.slice(stdout.search(/^(LLAMA_API_KEY=|llmkube )/m));

  /** By a shell that has programs of these names only, which say what they were started with. */
  async function runInShell(command: string, env: Record<string, string>) {
    const { path, remove } = await temporaryFolder();
    for (const program of ['llama-server', 'llmkube']) {
      const script = '#!/bin/sh\necho "$LLAMA_API_KEY|$HF_TOKEN"\nfor word in "$@"; do echo "$word"; done\n';
      await writeFile(join(path, program), script, { mode: 0o755 });
    }
    const result = await run('/bin/sh', ['-c', command], { PATH: `${path}:/bin:/usr/bin`, ...env });
    await remove();
    return { ...result, lines: result.stdout.split('\n') };
  }

  test.each(['llama-server', 'exec', 'deploy'])(
    'for %s runs with variables, and does not without them',
    async (kind) => {
      const { stdout, stderr } = await printed(kind);
      expect(`${stdout}${stderr}`).not.toContain(SECRET);
      expect(stderr).toContain('Note: set LLAMA_API_KEY before running the command');
      const command = commandIn(stdout);
      expect(command).not.toContain('***');
      const { lines, exitCode } = await runInShell(command, { LLAMA_API_KEY: 'mine', HF_TOKEN: 'hub' });
      const forService = kind === 'deploy' ? ['LLAMA_API_KEY=mine', 'HF_TOKEN=hub'] : [];
      expect([exitCode, lines[0]]).toEqual([0, 'mine|hub']);
      expect(lines).toEqual(expect.arrayContaining(['--jinja', ...forService]));
      expect(lines).not.toContain('--api-key');
      expect((await runInShell(command, {})).exitCode).not.toBe(0);
    },
  );

  test('that no variable can hold says that it is to be put back', async () => {
    const told = ['--extra-args', '--connect-code opensesame', '--llama-cpp', 'b12032', '--print', 'llama-server'];
    const { stdout, stderr } = await askCli(['check-memory', 'llama-3.1-8b', ...ROOM, ...told]);
    expect(stdout).toContain('--connect-code ***');
    expect(stderr).toContain('Note: what is secret is printed as ***: put it back before running the command');
  });

  test('keeps what is not secret as it was typed, and has no such note', async () => {
    const args = ['check-memory', 'llama-3.1-8b', ...ROOM, '--extra-args', '--api-key-file keys.txt'];
    const { stdout, stderr } = await askCli([...args, '--print', 'llama-server']);
    expect(stdout).toContain('--api-key-file keys.txt');
    expect(stderr).not.toContain('secret');
  });
});

describe('of files on this machine', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let llama: string;
  let experts: string;
  let lora: string;
  let draft: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const written = async (name: string): Promise<string> => {
      const path = join(folder.path, `${name.split('/').at(-1)}.gguf`);
      await writeProfile(readProfile(join(PROFILES, `${name}.json`)), path);
      return path;
    };
    llama = await written('llama-3.1-8b.Q4_K_M');
    experts = await written('qwen3-30b-a3b.Q4_K_M');
    lora = await written('../drafts/profiles/lora-llama-3.1-8b-r16-all.F16');
    draft = await written('../drafts/profiles/qwen3-0.6b.Q8_0');
  });

  afterAll(() => folder.remove());

  async function printedDeploy(...args: readonly string[]): Promise<Printed> {
    const { stdout } = await askCli(['check-memory', ...args, '--print', 'deploy', '--json']);
    return JSON.parse(stdout) as Printed;
  }

  /** What a deploy says it needs of the GPU; nothing where it refuses. */
  async function neededBy(command: string | null): Promise<string | undefined> {
    const [, ...args] = words(command ?? '');
    const { stdout } = await askCli([...args, '--dry-run', 'client']);
    return /memory-check-gpu-required-bytes: '(\d+)'/.exec(stdout)?.[1];
  }

  test.each([
    ['layers', () => [llama, '-c', '60000'], / --gpu-layers 18$/],
    ['context', () => [llama], / --ctx-size \d+$/],
    ['experts', () => [experts, '-c', '8192'], / --gpu-layers 49 --override-tensor .*exps=CPU/],
  ])('a deploy names the %s that llama-server chooses, so that it is what was checked', async (_what, args, named) => {
    const { command, requirementBytes } = await printedDeploy(...args(), ...CUDA);
    expect(command).toMatch(named);
    expect(await neededBy(command)).toBe(String(requirementBytes));
  });

  test('a deploy names the accelerator that was found here, for it looks for none', async () => {
    const card = '24564, 400, GPU-1, [N/A], NVIDIA GeForce RTX 4090, 24100';
    const { env, remove } = await fakeMachine({ 'nvidia-smi': `echo '${card}'` });
    const asked = [llama, '-c', '4096', '--gpu-layers', 'all', '--in-use', '0', '--json'];
    for (const command of [['check-memory', '--print', 'deploy'], ['fit']]) {
      const { stdout } = await askCli([...command, ...asked], env);
      const printed = JSON.parse(stdout) as Printed;
      expect(printed.command).toContain(' --accelerator cuda');
      const [, ...deploy] = words(printed.command ?? '');
      const { stdout: manifests } = await askCli([...deploy, '--dry-run', 'client'], env);
      const { limits } = printed as unknown as { limits: { name: string; requiredBytes: number }[] };
      const onGpu = limits.find(({ name }) => name === 'gpu')?.requiredBytes;
      expect(/memory-check-gpu-required-bytes: '(\d+)'/.exec(manifests)?.[1]).toBe(String(onGpu));
    }
    await remove();
  });

  test('no deploy is printed that LLMKube cannot carry, and it is said why', async () => {
    const asked = ['check-memory', llama, ...CUDA, '-c', '4096', '--lora', lora, '--print', 'deploy'];
    const { stdout, stderr, exitCode } = await askCli(asked);
    expect([exitCode, stdout.includes('llmkube deploy')]).toEqual([0, false]);
    expect(stderr).toContain(`Note: no command: ${NO_ADAPTER}`);
    const mac = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '0', '-c', '4096'];
    expect((await printedDeploy(llama, ...mac, '--spec-draft-model', draft)).command).toBeNull();
    expect((await printedDeploy(llama, ...mac)).command).toMatch(/^llmkube deploy /);
  });

  test('fit prints the command of llama-server for what no deploy can carry', async () => {
    const { stdout, stderr, exitCode } = await askCli(['fit', llama, ...CUDA, '--lora', lora]);
    expect([exitCode, stdout.includes('llmkube deploy')]).toEqual([0, false]);
    expect(words(stdout.slice(0, stdout.indexOf('\n\n'))).slice(0, 3)).toEqual(['llama-server', '--model', llama]);
    expect(stderr).toContain(`Note: ${NO_ADAPTER}`);
  });
});
