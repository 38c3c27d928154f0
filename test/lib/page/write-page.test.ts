import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageData } from '../../support/page/page-file.js';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { runCli } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const MAC = ['--accelerator', 'metal', '--system-memory', '64Gi', '--in-use', '4Gi', '--offline'];
const PROFILE = fileURLToPath(new URL('../../oracle/profiles/qwen2-qwen2-0.5b.json', import.meta.url));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
});

afterAll(() => folder.remove());

const check = (...args: string[]) => runCli(['check-memory', ...args, ...MAC]);

describe('check-memory --html', () => {
  test('replaces a file, through a link too, and leaves nothing else behind', async () => {
    const place = join(folder.path, 'replaced');
    await mkdir(place);
    await writeFile(join(place, 'page.html'), '<!doctype html>\nold');
    await symlink(join(place, 'page.html'), join(place, 'link.html'));
    const { stdout, stderr, exitCode } = await check('gemma-3-4b', '--html', join(place, 'link.html'));
    expect(await readFile(join(place, 'page.html'), 'utf8')).toMatch(/^<!doctype html>/);
    expect(
      (await readdir(place, { withFileTypes: true })).map((entry) => [entry.name, entry.isSymbolicLink()]),
    ).toEqual([
      ['link.html', true],
      ['page.html', false],
    ]);
    expect(stdout).toMatch(/^FITS {2}gemma-3-4b/);
    expect(stderr).toBe(`Page written to ${join(place, 'link.html')}\n`);
    expect(exitCode).toBe(0);
  });

  test('writes into a pipe, and replaces nothing that is no page', async () => {
    const pipe = join(folder.path, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [read] = await Promise.all([readFile(pipe, 'utf8'), check('gemma-3-4b', '--html', pipe)]);
    expect(read).toMatch(/^<!doctype html>/);
    expect((await stat(pipe)).isFIFO()).toBe(true);

    const model = join(folder.path, 'model.gguf');
    await writeProfile(readProfile(PROFILE), model);
    const before = (await stat(model)).size;
    const { stderr, exitCode } = await check(model, '--html', model);
    expect(stderr).toContain('is there, and it is no page, so it is not replaced\n  Suggestion: name another file');
    expect(exitCode).toBe(2);
    expect((await stat(model)).size).toBe(before);
  });

  test('keeps the verdict’s exit code and the JSON as they are without it', async () => {
    const path = join(folder.path, 'refused.html');
    const plain = await check('llama-3.3-70b', '--json', '--memory-fraction', '0.5');
    const paged = await check('llama-3.3-70b', '--json', '--memory-fraction', '0.5', '--html', path);
    expect(paged).toEqual(plain);
    expect(paged.exitCode).toBe(1);
    expect(await readFile(path, 'utf8')).toContain('Does not fit');
  });

  test.each([
    ['there is no such folder', 'no-such-folder/page.html', 'name a file in a folder that is there'],
    ['it is a folder', '', 'name a file in it: --html '],
    ['the name is too long', 'x'.repeat(300), 'name a file in'],
  ])('ends with 2 when the file cannot be written, and says in words why: %s', async (why, name, advice) => {
    const { stderr, exitCode } = await check('gemma-3-4b', '--html', join(folder.path, name));
    expect(stderr).toMatch(
      new RegExp(`^Error: the page cannot be written to \\S+: ${why}\n  Suggestion: ${advice}`, 'm'),
    );
    expect(stderr).not.toMatch(/unfinished|EISDIR|ENOENT|ENAMETOOLONG/);
    expect(exitCode).toBe(2);
  });

  test('leaves the file alone when there is no answer to show', async () => {
    const path = join(folder.path, 'kept.html');
    await writeFile(path, 'old');
    const { stderr, exitCode } = await check('gpt-oss-120b', '--html', path);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(stderr).toContain('no page was written');
    expect(exitCode).toBe(3);
  });

  test('shows names that look like markup as they are spelled', async () => {
    const place = join(folder.path, '<script>alert("a")');
    await mkdir(place, { recursive: true });
    const model = join(place, "x'&amp;\u202e<!--.gguf");
    const profile = readProfile(PROFILE);
    const metadata = [...profile.metadata, ['general.description', '</script><script>alert(1)', 'str'] as const];
    await writeProfile({ ...profile, metadata }, model);
    const path = join(folder.path, 'markup.html');
    await check(model, '--html', path);
    const html = await readFile(path, 'utf8');
    expect(html).not.toMatch(/<script>alert/);
    expect(html).not.toContain('\u202e<');
    expect(html).toContain('&lt;script&gt;alert(&quot;a&quot;)');
    expect(pageData(html)).toMatchObject({ model });
  });

  test('does not pass on the login or the token of an address', async () => {
    const model = join(folder.path, 'served.gguf');
    await writeProfile(readProfile(PROFILE), model);
    const server = await RangeServer.start();
    server.serve('/served.gguf', { start: await readFile(model) });
    const address = server.url('/served.gguf?token=secret-token').replace('://', '://someone:secret-word@');
    const path = join(folder.path, 'served.html');
    const online = MAC.filter((word) => word !== '--offline');
    const { exitCode } = await runCli(['check-memory', address, ...online, '--html', path]);
    expect(exitCode).toBe(0);
    const html = await readFile(path, 'utf8');
    expect(html).toContain(server.url('/served.gguf'));
    await server.close();
    expect(html).not.toMatch(/secret-(token|word)/);
  });
});
