import { execFileSync } from 'node:child_process';
import { openSync, closeSync, existsSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FILE_SERVER_MODES } from '../../support/servers/hostile-modes.js';
import { HostileServer } from '../../support/servers/hostile-server.js';
import { cliEnvironment, run, RUN_JS, runCli } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const CHECK = [
  'check-memory',
  'llama-3.2-3b',
  '--offline',
  '--accelerator',
  'metal',
  '--system-memory',
  '64Gi',
  '--in-use',
  '0',
];
const SECRET = 'hunter2';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

function file(name: string, text: string): string {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
}

function exitCodeInto(path: string, args: readonly string[]): Promise<number | null> {
  const output = openSync(path, 'w');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [RUN_JS, ...args], {
      env: cliEnvironment(),
      stdio: ['ignore', output, 'ignore'],
    });
    child.on('close', (code) => {
      closeSync(output);
      resolve(code);
    });
  });
}

describe('what comes from outside', () => {
  const itWithFull = existsSync('/dev/full') ? it : it.skip;
  itWithFull.each([[CHECK], [[...CHECK, '--json']], [['inspect', 'llama-3.2-3b', '--offline']]])(
    'does not make an answer that cannot be written look like a verdict: %j',
    async (args) => {
      expect(await exitCodeInto('/dev/full', args)).toBe(5);
    },
  );

  it('may be a catalogue of ten thousand entries', async () => {
    const entries = Array.from(
      { length: 10_000 },
      (_, i) => `  m-${i}:\n    source: hf:a/b:Q4_K_M\n    aliases: [a-${i}]\n`,
    );
    const catalog = file('big.yaml', `models:\n${entries.join('')}    nonsense: 1\n`);
    const { stderr, exitCode } = await runCli(['catalog', 'list', '--catalog', catalog]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/big\.yaml:30002: entry "m-9999" has an unknown field "nonsense"/);
  });

  it('may be a catalogue whose aliases stand for more than any memory holds', async () => {
    const rows = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]\n`);
    const bomb = file(
      'bomb.yaml',
      `a0: &a0 [x, x]\n${rows.join('')}models:\n  m:\n    source: hf:a/b\n    use_cases: *a9\n`,
    );
    const { stderr, exitCode } = await runCli(['catalog', 'list', '--catalog', bomb]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('its aliases stand for more than')]);
  });

  it('may be a catalogue with names of Object.prototype', async () => {
    const catalog = file('proto.yaml', 'models:\n  m:\n    source: hf:a/b\n    constructor: 1\n');
    const { stderr, exitCode } = await runCli(['catalog', 'list', '--catalog', catalog]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('unknown field "constructor"')]);
  });

  it.each([['a pipe'], ['a device']])('is never waited for: %s as catalogue', async (kind) => {
    const path = kind === 'a device' ? '/dev/zero' : join(folder.path, 'pipe');
    if (kind === 'a pipe') execFileSync('mkfifo', [path]);
    const { stderr, exitCode } = await runCli(['catalog', 'list', '--catalog', path]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('not a file but a device or a pipe')]);
  });

  it('does not act on the terminal from a catalogue', async () => {
    const catalog = file('odd.yaml', 'models:\n  "m\\e[31m":\n    source: hf:a/b\n    name: "x\\e]0;y\\a"\n');
    const { stdout } = await runCli(['catalog', 'list', '--catalog', catalog]);
    expect(stdout).toContain('m\\u{1b}[31m');
    // eslint-disable-next-line no-control-regex -- what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
  });

  it('may be a cache folder where none can be made', async () => {
    const { exitCode } = await runCli(['inspect', 'test/oracle/profiles/none.gguf'], { XDG_CACHE_HOME: '/proc/none' });
    expect(exitCode).toBe(3);
  });

  it.each<[keyof typeof FILE_SERVER_MODES, RegExp]>([
    ['switches protocols', /answers 101, another protocol/],
    ['drips headers', /not finished within 0\.9 s/],
  ])('may be a server that %s', async (mode, words) => {
    const server = await HostileServer.start(FILE_SERVER_MODES[mode]);
    const { stderr, exitCode } = await runCli(['inspect', `${server.url}/m.gguf`, '--read-timeout', '900ms']);
    await server.close();
    expect([exitCode, stderr]).toEqual([3, expect.stringMatching(words)]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with %s, whatever it was waiting for', async (signal) => {
    const server = await HostileServer.start(FILE_SERVER_MODES['never answers']);
    const result = await run(
      process.execPath,
      [RUN_JS, 'inspect', `${server.url}/m.gguf`],
      cliEnvironment(),
      (child) => {
        setTimeout(() => child.kill(signal), 3000);
      },
    );
    await server.close();
    expect(result.exitCode).toBe(signal === 'SIGTERM' ? 143 : 130);
  });

  it.each([
    [['check-memory'], []],
    [['check-memory'], ['--json']],
    [['inspect'], []],
    [['inspect'], ['--json']],
    [['fit'], []],
    [['fit'], ['--json']],
    [['compare', 'llama-3.2-3b'], []],
    [['compare', 'llama-3.2-3b'], ['--json']],
    [['deploy'], ['--dry-run', 'client', '--memory-check', 'off']],
  ])('is repeated without its secrets: %j %j', async (command, flags) => {
    for (const source of [
      `http://user:${SECRET}@127.0.0.1:1/m.gguf?token=${SECRET}`,
      `s3://user:${SECRET}@bucket/m.gguf`,
    ]) {
      const { stdout, stderr } = await runCli([...command, source, ...flags, '--read-timeout', '5s'], {
        LLMKUBE_ACCELERATOR: 'metal',
      });
      expect(stdout + stderr).not.toContain(SECRET);
    }
  });

  it('does not put a key for the server into a page or an answer', async () => {
    const page = join(folder.path, 'page.html');
    const { stdout, stderr } = await runCli([...CHECK, '--extra-args', `--api-key ${SECRET}`, '--html', page]);
    const { stdout: json } = await runCli([...CHECK, '--extra-args', `--api-key ${SECRET}`, '--json']);
    const html = execFileSync('cat', [page], { encoding: 'utf8' });
    expect(stdout + stderr + json + html).not.toContain(SECRET);
  });
});
