import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../support/models/profile.js';
import { RangeServer } from '../../support/servers/range-server.js';
import { cliEnvironment, run, runCli, RUN_JS } from '../../support/run-cli.js';
import { temporaryFolder } from '../../support/sparse-file.js';

async function listed(): Promise<readonly { id: string; use_cases: readonly string[] }[]> {
  const { stdout } = await runCli(['catalog', 'list', '--json']);
  return (JSON.parse(stdout) as { models: { id: string; use_cases: readonly string[] }[] }).models;
}

const PROFILE = fileURLToPath(new URL('../../oracle/profiles/smollm3-smollm3-3b.json', import.meta.url));
const TRAINED_CONTEXT = 65536;
const MACHINE = ['--accelerator', 'metal', '--system-memory', '16Gi', '--in-use', '2Gi'];

interface Row {
  readonly model: { readonly name: string };
  readonly verdict: string;
  readonly requirementBytes: number | null;
  readonly headroomBytes: number | null;
  readonly largestContext?: number | null;
  readonly launch: { readonly nCtx?: number };
  readonly source: { readonly header: string | null };
  readonly error?: { readonly code: string };
}

describe('catalog check', () => {
  let server: RangeServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  /** Nobody listens there. */
  let hub: string;

  beforeEach(async () => {
    [server, folder] = await Promise.all([RangeServer.start(), temporaryFolder()]);
    const closed = await RangeServer.start();
    hub = closed.origin;
    await closed.close();
    const { header, dataBytes } = buildGguf(profileSpec(readProfile(PROFILE)));
    server.serve('/good.gguf', { start: header, size: header.length + dataBytes, etag: '"one"' });
    server.serve('/broken.gguf', { start: Buffer.from('this is no model') });
  });

  afterEach(async () => {
    await Promise.all([server.close(), folder.remove()]);
  });

  async function llmkube(
    sources: Record<string, string>,
    args: string[],
    extra: Record<string, string> = {},
    onStart?: (child: ChildProcess) => void,
  ) {
    const catalog = join(folder.path, 'catalog.yaml');
    const entries = Object.entries(sources).map(([id, source]) => {
      return `  ${id}:\n    source: '${source}'\n    quantization: Q4_K_M\n    context_size: 16384\n`;
    });
    await writeFile(catalog, `models:\n${entries.join('')}`);
    const env = cliEnvironment({ HF_ENDPOINT: hub, LLMKUBE_CATALOG: catalog, ...extra });
    return run(process.execPath, [RUN_JS, ...args, ...MACHINE], env, onStart);
  }

  async function check(sources: Record<string, string>) {
    const { stdout, stderr, exitCode } = await llmkube(sources, ['catalog', 'check', '--json']);
    expect(stderr).toBe('');
    const { models } = JSON.parse(stdout) as { models: Row[] };
    return { models, rows: new Map(models.map((row) => [row.model.name, row])), exitCode };
  }

  const own = () => ({
    missing: server.url('/missing.gguf'),
    'first-good': server.url('/good.gguf'),
    broken: server.url('/broken.gguf'),
    claimed: 'pvc://claim/model.gguf',
    senseless: 'https://host:port/model.gguf',
    'second-good': server.url('/good.gguf'),
  });

  test('checks each entry as check-memory does, whatever comes of the others', async () => {
    const { models, rows, exitCode } = await check(own());
    expect(models.slice(-6).map(({ model, error }) => [model.name, error?.code])).toEqual([
      ['missing', 'SOURCE_NOT_FOUND'],
      ['first-good', undefined],
      ['broken', 'GGUF_NOT_GGUF'],
      ['claimed', 'SOURCE_UNSUPPORTED'],
      ['senseless', 'BAD_SOURCE'],
      ['second-good', undefined],
    ]);
    expect(exitCode).toBe(3);
    expect(server.requests.map(({ path }) => path).sort()).toEqual(['/broken.gguf', '/good.gguf', '/missing.gguf']);
    const alone = await llmkube(own(), ['check-memory', 'first-good', '--json']);
    const { largestContext } = rows.get('first-good') as Row;
    expect(rows.get('first-good')).toEqual(JSON.parse(alone.stdout));
    // more than its own, since it fits, and no more than the model was trained with
    expect(largestContext).toBe(TRAINED_CONTEXT);
    expect(rows.get('first-good')).toMatchObject({ source: { header: 'live' }, launch: { nCtx: 16384 } });
    expect(rows.get('second-good')?.requirementBytes).toBe(rows.get('first-good')?.requirementBytes);
  });

  test('takes bundled headers where the hub cannot be reached, and ends with 0 when all entries were checked', async () => {
    const offline = await check({ good: server.url('/good.gguf') });
    expect(offline.rows.get('phi-4')).toMatchObject({ source: { header: 'bundled' } });
    expect(offline.rows.get('gpt-oss-120b')).toMatchObject({
      verdict: 'unknown',
      error: { code: 'SOURCE_UNREACHABLE' },
    });
    const unbundled = offline.models.filter(({ verdict }) => verdict === 'unknown').map(({ model }) => model.name);
    const { rows, exitCode } = await check(Object.fromEntries(unbundled.map((id) => [id, server.url('/good.gguf')])));
    // 16 GB hold less than half of 70 billion weights of more than four bits
    expect(rows.get('llama-3.3-70b')).toMatchObject({ verdict: 'does-not-fit', largestContext: null });
    expect(exitCode).toBe(0);
    expect(server.requests).toHaveLength(2);
  });

  test('shows a line an entry, the budgets, and why entries were not checked', async () => {
    const alone = await llmkube(own(), ['check-memory', 'first-good', '--json']);
    const { stdout, stderr, exitCode } = await llmkube(own(), ['catalog', 'check'], { COLUMNS: '120' });
    const gigabytes = (bytes: number | null | undefined) => `${Number(((bytes ?? NaN) / 2 ** 30).toFixed(1))}GB`;
    const { requirementBytes, headroomBytes } = JSON.parse(alone.stdout) as Row;
    expect(stdout).toMatch(/^ID +QUANT +CONTEXT +NEEDS +VERDICT +TO SPARE +LARGEST CONTEXT$/m);
    const [, ...cells] = /^first-good +Q4_K_M +16384 +(\S+) {2}(\S+) +(\S+) +(\d+)$/m.exec(stdout) ?? [];
    expect(cells).toEqual([gigabytes(requirementBytes), 'tight', gigabytes(headroomBytes), String(TRAINED_CONTEXT)]);
    expect(stdout).toMatch(/^missing +Q4_K_M +16384 +not checked$/m);
    expect(stdout).toContain('\nbudget: 8.7GB (16GB system × 0.67 fraction − 2GB in use)\n');
    expect(stderr).toMatch(/^Not checked: missing: http\S+ does not exist \(404\)/m);
    expect(stderr).toMatch(/^Note: \d\d models: source not read \(the connection was refused.*bundled header/m);
    expect(exitCode).toBe(3);
  });

  test('shows those that fit, or hold a context, or are for something, in the order that is asked for', async () => {
    const offline = [...MACHINE, '--offline'];
    const ids = async (...flags: string[]) => {
      const { stdout } = await runCli(['catalog', 'check', ...offline, ...flags, '--json']);
      return JSON.parse(stdout) as { models: (Row & { largestContext: number })[] };
    };
    const fitting = await ids('--fits', '--sort', 'needs', '--ctx-size', '8192');
    expect(fitting.models.length).toBeGreaterThan(3);
    expect(fitting.models.every(({ verdict }) => ['fits', 'tight'].includes(verdict))).toBe(true);
    const needs = fitting.models.map(({ requirementBytes }) => Number(requirementBytes));
    expect(needs).toEqual([...needs].sort((a, b) => a - b));
    const long = await ids('--least-context', '128k', '--sort', 'context');
    expect(long.models.map(({ largestContext }) => largestContext)).toContain(131072);
    expect(long.models.every(({ largestContext }) => largestContext >= 131072 || largestContext >= 128_000)).toBe(true);
    const coders = await ids('--use-case', 'CODE', '--sort', 'id');
    expect(coders.models.map(({ model }) => model.name)).toEqual(
      (await listed()).filter(({ use_cases }) => use_cases.includes('code')).map(({ id }) => id),
    );
  });

  test.each([60, 80, 120])('shows a table that is no wider than %i columns', async (width) => {
    const { stdout } = await runCli(['catalog', 'check', ...MACHINE, '--offline'], { COLUMNS: String(width) });
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(stdout).toMatch(/^phi-4 .*\b(fits|tight|does not fit)\b/m);
    expect(stdout.includes('SPARE')).toBe(width > 60);
  });

  test('ends with Ctrl-C, on however many hosts it waits, and shows nothing half done', async () => {
    let waiting = 0;
    let child: ChildProcess | undefined;
    const others = await Promise.all(Array.from({ length: 11 }, () => RangeServer.start()));
    for (const other of others) {
      other.handle('/model.gguf', () => {
        if (++waiting === others.length) child?.kill('SIGINT');
      });
    }
    const sources = Object.fromEntries(others.map((other, index) => [`own-${index}`, other.url('/model.gguf')]));
    const ended = await llmkube(sources, ['catalog', 'check'], {}, (started) => (child = started));
    await Promise.all(others.map((other) => other.close()));
    expect(ended).toEqual({
      stdout: '',
      stderr: 'Error: stopped by Ctrl-C before everything was read; nothing was changed\n',
      exitCode: 130,
    });
  });
});
