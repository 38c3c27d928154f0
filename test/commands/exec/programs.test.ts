import { beforeEach, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFolder } from '../../support/exec-folder.js';
import { RUN_JS } from '../../support/run-cli.js';
import { SERVER_VERSION, startsIn } from '../../support/servers/stand-in-server.js';

/** The tiny model takes 505 MB, nearly all of it the runtime's own. */
const ROOM = ['--memory-budget', '520Mi'];
const NO_ROOM = ['--memory-budget', '400Mi'];

const { at, path, env, model, exec } = execFolder();
const starts = (): string[] => startsIn(path());

beforeEach(() => {
  script(
    'llama-server',
    `[ "$1" = --version ] && { echo '${SERVER_VERSION}'; exit; }
    echo "$@" >> ${at('starts')}; cat ${at('state')}/ledger.json > ${at('ledger')} 2>/dev/null; echo $$ > ${at('pid')}`,
  );
});

function script(name: string, body: string): string {
  writeFileSync(at(name), `#!/bin/sh\n${body}\n`);
  chmodSync(at(name), 0o755);
  return at(name);
}

/** What the server saw in the ledger when it ran. */
const promised = (): readonly { pid: number }[] =>
  (JSON.parse(readFileSync(at('ledger'), 'utf8')) as { entries: { pid: number }[] }).entries;

describe('a wrapper that becomes llama-server', () => {
  test.each([['nice', '-n', '5'], ['nohup'], ['env', 'A=b'], ['env', 'A=b', 'nice', '--']])(
    '%s is looked through, and the promise is that of llama-server itself',
    async (...wrapper) => {
      const command = [...wrapper, at('llama-server'), ...model()];
      expect((await exec(NO_ROOM, ...command)).exitCode).toBe(1);
      expect(starts()).toEqual([]);
      expect((await exec(ROOM, ...command)).exitCode).toBe(0);
      expect(starts()).toEqual([model().join(' ')]);
      expect(promised()).toEqual([expect.objectContaining({ pid: Number(readFileSync(at('pid'), 'utf8')) })]);
    },
  );

  test('may set options of llama-server', async () => {
    const { exitCode, stderr } = await exec(
      ROOM,
      'env',
      'LLAMA_ARG_CTX_SIZE=100000000',
      at('llama-server'),
      '-m',
      at('tiny.gguf'),
    );
    expect([exitCode, starts(), stderr]).toEqual([1, [], expect.stringContaining('100000000 tokens')]);
  });

  test('may take it for a file to be read', async () => {
    expect((await exec(NO_ROOM, '/bin/sh', at('llama-server'), ...model())).exitCode).toBe(1);
    expect((await exec(ROOM, '/bin/sh', at('llama-server'), ...model())).exitCode).toBe(0);
  });
});

describe('llama-server of another name', () => {
  test('is known by the file that a link leads to', async () => {
    symlinkSync(at('llama-server'), at('engine'));
    expect((await exec([], at('engine'), '--version')).stdout).toContain('12032');
    expect((await exec(NO_ROOM, at('engine'), ...model())).exitCode).toBe(1);
  });

  test('is known by its words where they name a model', async () => {
    script('engine', 'exit 4');
    expect((await exec(NO_ROOM, at('engine'), ...model())).exitCode).toBe(1);
    expect((await exec(ROOM, at('engine'), ...model())).exitCode).toBe(4);
    const { stderr, exitCode } = await exec(ROOM, at('engine'), ...model(), '-c');
    expect([exitCode, stderr]).toEqual([2, "Error: llama-server's -c expects a value, and nothing follows it\n"]);
  });

  test('is a word of the program that has all of llama.cpp in one', async () => {
    script('llama', `[ "$1" = --version ] || echo "$@" >> ${at('starts')}`);
    expect((await exec(NO_ROOM, at('llama'), 'serve', ...model())).exitCode).toBe(1);
    expect((await exec([], at('llama'), 'version')).exitCode).toBe(0);
    expect((await exec(ROOM, at('llama'), 'serve', ...model())).exitCode).toBe(0);
    expect(starts()).toEqual(['version', `serve ${model().join(' ')}`]);
    expect((await exec(ROOM, at('llama'), 'cli', ...model())).exitCode).toBe(3);
  });
});

describe('what else might load a model is not started', () => {
  test.each([
    ['a shell with a command', () => ['sh', '-c', `${at('llama-server')} ${model().join(' ')}`], 'in what sh runs'],
    ['a shell with words of llama-server', () => ['sh', '-c', at('llama-server'), ...model()], 'in what sh runs'],
    [
      'a script',
      () => [script('start.sh', `exec ${at('llama-server')} ${model().join(' ')}`)],
      'in what start.sh runs',
    ],
    [
      'a script that is asked its version',
      () => [script('start.sh', at('llama-server')), '--version'],
      'in what start.sh runs',
    ],
    [
      'a program with a word that llama-server would read on from',
      () => [script('list', 'exit 0'), '-l'],
      'in what list runs',
    ],
    ['llama-swap', () => [script('llama-swap', at('llama-server')), '--config', 'c.yaml'], 'in what llama-swap runs'],
    ['llama-cli', () => [script('llama-cli', 'exit 0'), ...model()], 'run the model with llama-server'],
    [
      'a wrapper that stays beside it',
      () => [script('time', '"$@"'), at('llama-server'), ...model()],
      'time llmkube exec -- ',
    ],
    [
      'a wrapper in another folder',
      () => ['env', '-C', '/', at('llama-server'), ...model()],
      'env -C / llmkube exec -- ',
    ],
  ])('%s', async (_what, command, advice) => {
    const { exitCode, stderr } = await exec(ROOM, ...command());
    expect([exitCode, starts()]).toEqual([3, []]);
    expect(stderr).toMatch(
      /^Error: exec checks llama-server only, and what \S+ is going to load cannot be told from here\n/,
    );
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(advice);
  });

  test('a call without a model where a file of options may name one', async () => {
    mkdirSync(join(env().HOME ?? '', '.config', 'llama.cpp'), { recursive: true });
    writeFileSync(join(env().HOME ?? '', '.config', 'llama.cpp', 'config.ini'), `model = ${at('tiny.gguf')}\n`);
    expect((await exec(ROOM, at('llama-server'))).exitCode).toBe(3);
    expect((await exec(ROOM, at('llama-server'), '--version')).exitCode).toBe(0);
    expect(starts()).toEqual([]);
  });
});

test('a call without a model runs, and what is not checked is said', async () => {
  const { exitCode, stderr } = await exec([], at('llama-server'), '--port', '1');
  expect([exitCode, starts()]).toEqual([0, ['--port 1']]);
  expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(/^Note: without a model, llama-server starts one of its own for each/);
});

describe('a guard before a guard', () => {
  test('promises the memory once', async () => {
    mkdirSync(at('front'));
    script(
      'front/llama-server',
      `exec ${process.execPath} ${RUN_JS} exec --memory-budget 520Mi -- ${at('llama-server')} "$@"`,
    );
    expect(await exec(ROOM, at('front/llama-server'), ...model())).toMatchObject({ exitCode: 0, stderr: '' });
    expect(promised()).toEqual([expect.objectContaining({ pid: Number(readFileSync(at('pid'), 'utf8')) })]);
  });

  test('that finds itself in PATH ends', async () => {
    mkdirSync(at('front'));
    script('front/llama-server', `exec ${process.execPath} ${RUN_JS} exec -- llama-server "$@"`);
    env().PATH = `${at('front')}:${env().PATH}`;
    const { exitCode, stderr } = await exec([], 'llama-server', '--version');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('a script that runs exec again')]);
  });
});
