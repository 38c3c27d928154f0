import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, RUN_JS, cliEnvironment, run } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';
import { SERVER_VERSION, standInServer, startsIn } from '../../support/servers/stand-in-server.js';
import { writeTinyModel } from '../../support/models/tiny-model.js';

const schema = JSON.parse(
  readFileSync(new URL('../../../schemas/ledger.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv({ strict: false, formats: { 'date-time': true } }).compile(schema);

/** What the tiny model takes at the most: the runtime's overhead of 500 MiB and little else. */
const ROOM_FOR_ONE = '520Mi';

let folder: { path: string; remove: () => Promise<void> };
let env: NodeJS.ProcessEnv;
let started: ChildProcess[];

beforeEach(async () => {
  folder = await temporaryFolder();
  started = [];
  env = cliEnvironment({ LLMKUBE_STATE_DIR: at('state'), LLMKUBE_CACHE_DIR: at('cache') });
  await writeTinyModel(at('tiny.gguf'));
});

afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  for (const { pid } of await ledger()) process.kill(pid, 'SIGKILL');
  await folder.remove();
});

const at = (name: string): string => join(folder.path, name);

const server = (body: string, prepare?: string): string => standInServer(folder.path, body, prepare);
const FOR_EVER = 'while :; do sleep 0.05; done';
const starts = (): string[] => startsIn(folder.path);

const exec = (flags: readonly string[], ...command: readonly string[]): Promise<CliResult> =>
  run(process.execPath, [RUN_JS, 'exec', ...flags, '--', ...command], env);

/** Runs on; resolves when the server has started. */
async function background(...args: readonly string[]): Promise<ChildProcess> {
  const before = starts().length;
  const child = spawn(process.execPath, [RUN_JS, 'exec', ...args], { env, stdio: 'ignore' });
  started.push(child);
  await until(() => starts().length > before);
  return child;
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not happen');
}

async function ledger(): Promise<readonly { pid: number; who: string; state: string; hostBytes: number }[]> {
  const { stdout } = await run(process.execPath, [RUN_JS, 'ledger', '--json'], env);
  const json = JSON.parse(stdout) as { entries: { pid: number; who: string; state: string; hostBytes: number }[] };
  expect(validate(json) || validate.errors).toBe(true);
  return json.entries;
}

const ended = (child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])));

const model = (): string[] => ['-m', at('tiny.gguf'), '-c', '512'];

describe('a launch that fits', () => {
  test('runs with its own output and exit code, and its promise ends with it', async () => {
    const program = server('echo out; echo err >&2; exit 7');
    expect(await exec([], program, ...model())).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 7 });
    expect(starts()).toEqual([expect.stringMatching(/^\d+ -m .*tiny\.gguf -c 512$/)]);
    expect(await ledger()).toEqual([]);
  });

  test('is watched by a process that has loaded no cryptography, which would stay in memory as long as it runs', async () => {
    writeFileSync(
      at('noted.cjs'),
      `process.on('exit', () => require('node:fs').writeFileSync(process.env.NOTED, process.moduleLoadList.join('\\n')));`,
    );
    const noting = { ...env, NOTED: at('noted') };
    const words = ['--require', at('noted.cjs'), RUN_JS, 'exec', '--', server('exit 0'), ...model()];
    expect((await run(process.execPath, words, noting)).exitCode).toBe(0);
    const loaded = readFileSync(at('noted'), 'utf8').split('\n');
    expect(loaded).toContain('NativeModule child_process');
    expect(loaded).not.toContain('NativeModule crypto');
  });

  test('is in the ledger under the number of the program itself', async () => {
    await background('--name', 'default/coder', '--', server('exec sleep 60'), ...model());
    const [pid] = (starts()[0] ?? '').split(' ');
    expect(await ledger()).toEqual([expect.objectContaining({ pid: Number(pid), who: 'default/coder' })]);
  });

  test('gets the signals, and its end by one is the guard’s', async () => {
    const child = await background('--', server(FOR_EVER, 'trap "exit 9" TERM'), ...model());
    child.kill('SIGTERM');
    expect(await ended(child)).toEqual([9, null]);
    const other = await background('--', server('exec sleep 60'), ...model());
    other.kill('SIGINT');
    expect(await ended(other)).toEqual([null, 'SIGINT']);
  });

  test('takes a second signal as the program does: nothing of the guard stands in the way', async () => {
    // as llama-server: the first asks it to finish, the second ends it at once
    const child = await background(
      '--',
      server(FOR_EVER, "n=0; trap 'n=$((n+1)); [ $n = 2 ] && exit 130' INT"),
      ...model(),
    );
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect(await ended(child)).toEqual([130, null]);
  });

  test('is found in PATH, and takes its model from the environment', async () => {
    server('exit 0');
    env = { ...env, PATH: `${folder.path}:${env.PATH}`, LLAMA_ARG_MODEL: at('tiny.gguf') };
    expect((await exec(['--memory-budget', ROOM_FOR_ONE], 'llama-server')).exitCode).toBe(0);
    expect((await exec(['--memory-budget', '400Mi'], 'llama-server')).exitCode).toBe(1);
    expect(starts()).toHaveLength(1);
  });

  test('becomes resident when its server answers', async () => {
    // as llama-server does while it loads: 503, until it is told otherwise
    const answering = `const fs = require('fs');
      const server = require('http').createServer((request, answer) => {
        answer.statusCode = fs.existsSync(process.argv[2]) ? 200 : 503;
        answer.end();
      });
      server.listen(0, () => fs.writeFileSync(process.argv[1], String(server.address().port)));`;
    const health = spawn(process.execPath, ['-e', answering, at('port'), at('loaded')], { stdio: 'ignore' });
    started.push(health);
    await until(() => existsSync(at('port')) && readFileSync(at('port'), 'utf8') !== '');
    await background('--', server('exec sleep 60'), ...model(), '--port', readFileSync(at('port'), 'utf8'));
    expect((await ledger())[0]?.state).toBe('promised');
    writeFileSync(at('loaded'), '');
    await until(async () => (await ledger())[0]?.state === 'resident');
  });
});

describe('a launch that does not fit', () => {
  test('beside a promise is refused before it is started, in the words of check-memory', async () => {
    const program = server('exec sleep 60');
    await background('--memory-budget', ROOM_FOR_ONE, '--', program, ...model());
    const { stdout, stderr, exitCode } = await exec(['--memory-budget', ROOM_FOR_ONE], program, ...model());
    expect([stdout, exitCode]).toEqual(['', 1]);
    expect(stderr).toMatch(/^Error: insufficient memory for .*tiny\.gguf \(F16\)\n {2}Estimated requirement: ~50\d/);
    expect(stderr).toMatch(/\n {2}Available budget: .* \(as given by --memory-budget − 505MB promised\)\n/);
    expect(starts()).toHaveLength(1);
    expect(await ledger()).toHaveLength(1);
  });

  test('names the variable that says how much may be used', async () => {
    env.LLMKUBE_MEMORY_BUDGET = '100Mi';
    const { stderr } = await exec([], server('exec sleep 60'), ...model());
    expect(stderr).toContain('(as given by LLMKUBE_MEMORY_BUDGET)');
    env.LLMKUBE_MEMORY_BUDGET = 'plenty';
    expect((await exec([], server('exec sleep 60'), ...model())).stderr).toMatch(
      /^Error: LLMKUBE_MEMORY_BUDGET "plenty"/,
    );
  });

  test('is refused whatever somebody wrote over what is kept of an earlier check of it', async () => {
    const program = server('exec sleep 60');
    const check = (): Promise<CliResult> => exec(['--memory-budget', '400Mi'], program, ...model());
    expect((await check()).exitCode).toBe(1);
    const kept = join(at('cache'), 'requirements-v3');
    const [name = ''] = readdirSync(kept);
    const text = readFileSync(join(kept, name), 'utf8');
    writeFileSync(join(kept, name), text.replaceAll(/"bytes":\d+/g, '"bytes":1'));
    expect((await check()).exitCode).toBe(1);
    expect(starts()).toHaveLength(0);
  });

  test('of twelve at once with room for three leaves exactly three', async () => {
    const program = server('exec sleep 60');
    expect((await exec(['--memory-budget', '400Mi'], program, ...model())).exitCode).toBe(1);
    const flags = ['exec', '--memory-budget', '1600Mi', '--', program, ...model()];
    const children = Array.from({ length: 12 }, () =>
      spawn(process.execPath, [RUN_JS, ...flags], { env, stdio: 'ignore' }),
    );
    started.push(...children);
    await until(() => children.filter(({ exitCode }) => exitCode === 1).length === 9);
    expect(children.filter(({ exitCode }) => exitCode === null)).toHaveLength(3);
    expect(await ledger()).toHaveLength(3);
  });

  test('is refused by check-memory, too, which says what is promised', async () => {
    await background('--', server('exec sleep 60'), ...model());
    const check = ['check-memory', at('tiny.gguf'), '--accelerator', 'cpu', '--memory-budget', ROOM_FOR_ONE];
    const { stderr, exitCode } = await run(process.execPath, [RUN_JS, ...check], env);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('− 505MB promised');
    expect(stderr).toContain('Note: memory is promised to a process on this machine: llmkube ledger');
  });
});

describe('when somebody is killed', () => {
  test('the guard: the program goes on and keeps its promise until it ends', async () => {
    const child = await background('--', server('exec sleep 60'), ...model());
    child.kill('SIGKILL');
    await ended(child);
    const [entry] = await ledger();
    expect(entry?.pid).toBe(Number(starts()[0]?.split(' ')[0]));
    process.kill(entry?.pid ?? 0, 'SIGKILL');
    await until(async () => (await ledger()).length === 0);
    expect((await exec(['--memory-budget', ROOM_FOR_ONE], server('exit 0'), ...model())).exitCode).toBe(0);
  });
});

describe('what loads nothing passes through', () => {
  test('--version', async () => {
    expect(await exec([], server('exit 5'), '--version')).toMatchObject({ exitCode: 0, stdout: `${SERVER_VERSION}\n` });
  });

  test.each([[['-m', 'x.gguf', '--help']], [['--port', '1']]])('%j', async (words) => {
    expect(await exec([], server('echo "$@"; exit 5'), ...words)).toMatchObject({
      exitCode: 5,
      stdout: `${words.join(' ')}\n`,
    });
    expect(existsSync(at('state'))).toBe(false);
  });
});

describe('what is not known is not started', () => {
  test.each([
    ['an option that nobody knows', ['--turbo'], 'Error: --turbo is no option of llama-server'],
    ['a preset', ['--gpt-oss-20b-default'], 'Error: --gpt-oss-20b-default lets llama-server choose'],
    ['a folder of models', ['--models-dir', '/models'], 'Error: --models-dir lets llama-server choose'],
    ['a model that is not there', ['-m', '/nowhere.gguf'], 'cannot read /nowhere.gguf'],
  ])('%s', async (_what, words, message) => {
    const { stderr, exitCode } = await exec([], server('exit 0'), ...model(), ...words);
    expect(stderr).toContain(message);
    expect([exitCode, starts()]).toEqual([3, []]);
  });

  test('a file of options in the user’s configuration', async () => {
    mkdirSync(join(env.HOME ?? '', '.config', 'llama.cpp'), { recursive: true });
    writeFileSync(join(env.HOME ?? '', '.config', 'llama.cpp', 'config.ini'), 'ctx-size = 100000\n');
    const { stderr, exitCode } = await exec([], server('exit 0'), ...model());
    expect(stderr).toContain('config.ini, which are not read here');
    expect([exitCode, starts()]).toEqual([3, []]);
  });

  test('and what a name holds does nothing to the terminal, nor does it tell a token', async () => {
    const { stderr } = await exec([], server('exit 0'), '-mu', 'https://u:pa55@127.0.0.1:1/\u001b[2J.gguf');
    expect(stderr).toContain('127.0.0.1:1');
    // eslint-disable-next-line no-control-regex -- what a terminal would obey
    expect(stderr).not.toMatch(/\u001b|pa55/);
    const unknown = await exec([], server('exit 0'), ...model(), '--api-key-\u001b]0;x');
    // eslint-disable-next-line no-control-regex -- what a terminal would obey
    expect(unknown.stderr).not.toMatch(/\u001b/);
  });

  test('and no flag is advised that exec does not have, nor what this machine is not', async () => {
    if (process.platform === 'darwin') return;
    const mac = await exec(['--accelerator', 'metal'], server('exit 0'), ...model());
    expect([mac.exitCode, mac.stderr]).toEqual([3, expect.stringContaining('this is not a Mac')]);
    expect(mac.stderr).toContain('Suggestion: name what this machine has instead');
    expect(mac.stderr).not.toMatch(/--(system-memory|in-use)/);
    const typo = await exec(['--accelerator', 'metall'], server('exit 0'), ...model());
    expect(typo.stderr).toContain('must be one of cpu, cuda, rocm, vulkan, intel, not "metall"');
  });

  test('a program that is not there, or none at all', async () => {
    const missing = await exec([], at('nothing'), ...model());
    expect([missing.exitCode, missing.stderr]).toEqual([
      2,
      expect.stringContaining('is not a program that can be run'),
    ]);
    const none = await run(process.execPath, [RUN_JS, 'exec', '--memory-budget', '1Gi'], env);
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('there is no program to run')]);
  });
});
