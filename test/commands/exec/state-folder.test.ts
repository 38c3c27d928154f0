import { describe, expect, test } from '@jest/globals';
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFolder } from '../../support/exec-folder.js';
import { RUN_JS, run } from '../../support/run-cli.js';
import { standInServer, startsIn } from '../../support/servers/stand-in-server.js';

const { at, path, env, model, exec } = execFolder();
const server = (body: string): string => standInServer(path(), body);
const starts = (): string[] => startsIn(path());
const onLinux = process.platform === 'linux' ? test : test.skip;

describe('without a ledger that can be trusted nothing is started', () => {
  test('in a folder that is none', async () => {
    writeFileSync(at('state'), '');
    const { stderr, exitCode } = await exec([], server('exit 0'), ...model());
    expect(stderr).toContain(
      `Error: the state folder ${at('state')} is no folder, so that no memory can be promised\n`,
    );
    expect([exitCode, starts()]).toEqual([3, []]);
  });

  test('on a disk that takes no more', async () => {
    // What the launch takes is known already.
    expect((await exec(['--memory-budget', '400Mi'], server('exit 0'), ...model())).exitCode).toBe(1);
    const words = [
      '-c',
      'ulimit -f 0; exec "$0" "$@"',
      process.execPath,
      RUN_JS,
      'exec',
      '--',
      server('exit 0'),
      ...model(),
    ];
    const { stderr, exitCode } = await run('/bin/sh', words, env());
    expect(stderr).toContain(
      `the state folder ${at('state')} cannot be written (the file system takes no file of that size)`,
    );
    expect([exitCode, starts()]).toEqual([3, []]);
  });

  onLinux.each([
    [
      'read-only',
      'mount -o remount,ro none "$LLMKUBE_STATE_DIR"',
      ['cannot be written (its file system is read-only)', 'mount that with write access'],
    ],
    [
      'full',
      'cat /dev/zero > "$LLMKUBE_STATE_DIR/filler" 2>/dev/null',
      ['cannot be written (the disk is full)', 'make room on it'],
    ],
  ])('on a disk that is %s', async (_what, prepare, [problem, remedy]) => {
    mkdirSync(at('state'));
    const mount = `mount -t tmpfs -o size=64k none "$LLMKUBE_STATE_DIR" && { ${prepare}; true; }`;
    const own = ['-rm', '/bin/sh', '-c', `${mount} || exit 77; exec "$0" "$@"`];
    const words = [process.execPath, RUN_JS, 'exec', '--', server('exit 0'), ...model()];
    const { stderr, exitCode } = await run('unshare', [...own, ...words], env());
    // Where this user may not mount anything there is nothing to be seen.
    if (exitCode === 77 || stderr.startsWith('unshare: ')) return;
    expect(stderr).toContain(`Error: the state folder ${at('state')} ${problem}, so that no memory can be promised\n`);
    expect(stderr).toContain(`  Suggestion: ${remedy}, or name another folder in LLMKUBE_STATE_DIR`);
    expect([exitCode, starts()]).toEqual([3, []]);
  });

  test('in a folder of another user', async () => {
    if (process.getuid?.() !== 0) return;
    mkdirSync(at('state'));
    chownSync(at('state'), 4711, 4711);
    const { stderr, exitCode } = await exec([], server('exit 0'), ...model());
    expect(stderr).toContain('belongs to another user (uid 4711)');
    expect([exitCode, starts()]).toEqual([3, []]);
  });

  test('under a budget whose promises are lost nothing is said to fit that does not beside all that is in use', async () => {
    mkdirSync(at('state'));
    writeFileSync(join(at('state'), 'ledger.json'), '{"version":1,"entr');
    const words = ['check-memory', at('tiny.gguf'), '--accelerator', 'cpu', '--memory-budget', '600Mi'];
    const checked = async () => (await run(process.execPath, [RUN_JS, ...words], env())).exitCode;
    expect(await checked()).toBe(1);
    const { stderr, exitCode } = await exec(['--memory-budget', '600Mi'], server('exit 0'), ...model());
    expect(stderr).toMatch(/as given by --memory-budget − [\d.]+\wB in use/);
    expect([exitCode, starts()]).toEqual([1, []]);
    const aside = readdirSync(at('state')).find((name) => name.includes('corrupt')) ?? '';
    // It was set aside, and its promises are as unknown as before.
    expect(await checked()).toBe(1);
    rmSync(join(at('state'), aside));
    expect(await checked()).toBe(0);
  });

  test('but a corrupt one is set aside, said, and begun anew', async () => {
    mkdirSync(at('state'));
    writeFileSync(join(at('state'), 'ledger.json'), '{"version":1,"entr');
    const { stderr, exitCode } = await exec([], server('exit 0'), ...model());
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Note: the ledger could not be read and was set aside as');
    expect(readdirSync(at('state')).filter((name) => name.includes('corrupt'))).toHaveLength(1);
  });
});
