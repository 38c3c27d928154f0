import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cliEnvironment, run, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const ROOT = dirname(dirname(RUN_JS));

describe('a program that was not built says so, and not by the code of a model that does not fit', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const inClone = (path: string): string => join(folder.path, path);
  beforeEach(async () => {
    folder = await temporaryFolder();
    await cp(dirname(RUN_JS), inClone('bin'), { recursive: true });
    await cp(join(ROOT, 'package.json'), inClone('package.json'));
  });
  afterEach(() => folder.remove());

  const install = () => symlink(join(ROOT, 'node_modules'), inClone('node_modules'));
  /** Of a build that was interrupted: a command is there, and what it imports is not. */
  async function leaveHalf(): Promise<void> {
    await mkdir(inClone('dist/commands'), { recursive: true });
    await mkdir(inClone('dist/lib/cli/terminal'), { recursive: true });
    await writeFile(inClone('dist/lib/cli/terminal/output-failure.js'), 'export const endWhereOutputFails = () => {};');
    await writeFile(inClone('dist/commands/version.js'), "import '../lib/version.js';");
  }
  async function ask(command: string) {
    const { stdout, stderr, exitCode } = await run(
      process.execPath,
      [inClone('bin/run.js'), command],
      cliEnvironment(),
    );
    return { stdout, exitCode, lines: stderr.split('\n') };
  }
  const said = (remedy: string) => ({
    ...{ stdout: '', exitCode: 3 },
    lines: ['Error: llmkube is not built', `  Suggestion: ${remedy}`, ''],
  });

  test('as it was cloned', async () => {
    expect(await ask('version')).toEqual(said('npm ci'));
  });

  test('its packages installed', async () => {
    await install();
    expect(await ask('version')).toEqual(said('npm run build'));
  });

  test('its packages missing beside a build', async () => {
    await leaveHalf();
    expect(await ask('version')).toEqual(said('npm ci'));
  });

  test.each(['version', 'help', 'no-such-command'])('half built, asked for %s', async (command) => {
    await install();
    await leaveHalf();
    expect(await ask(command)).toEqual(said('npm run build'));
  });

  test('half built, its commands listed before', async () => {
    await install();
    await leaveHalf();
    const listed = {
      id: 'version',
      aliases: [],
      args: {},
      flags: {},
      isESM: true,
      relativePath: ['dist/commands/version.js'],
    };
    await writeFile(
      inClone('oclif.manifest.json'),
      JSON.stringify({ commands: { version: listed }, version: '0.1.0' }),
    );
    expect(await ask('version')).toEqual(said('npm run build'));
  });
});
