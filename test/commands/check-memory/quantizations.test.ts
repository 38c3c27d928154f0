import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PROFILES } from '../../oracle/cases.js';
import { buildGguf } from '../../support/models/gguf-writer.js';
import { profileSpec, readProfile } from '../../support/models/profile.js';
import { RangeServer, type ServedFile } from '../../support/servers/range-server.js';
import { askCli } from '../../support/cli-session.js';
import { temporaryFolder, writeSparseFile } from '../../support/sparse-file.js';

const MAC = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi', '--no-mmproj', '-c', '4096'];
const BY_QUANTIZATION = ['--table', '--by', 'quantization'];

interface Row {
  readonly quantization: string;
  readonly source: string | null;
  readonly fileBytes: number;
  readonly asked: boolean;
  readonly estimated: boolean;
  readonly verdict: string;
  readonly requirementBytes: number | null;
  readonly largestContext: number | null;
  readonly problem: string | null;
}

/** A real model's header, its types as that quantization has them, or with every third matrix in another. */
function coder(quantization: string, other?: string): ServedFile & { size: number } {
  const spec = profileSpec(readProfile(join(PROFILES, `qwen-2.5-coder-32b.${quantization}.json`)));
  const tensors = (spec.tensors ?? []).map((tensor, index) =>
    other !== undefined && tensor.dims.length > 1 && index % 3 === 0 ? { ...tensor, type: other } : tensor,
  );
  const { header, dataBytes } = buildGguf({ ...spec, tensors });
  return { start: header, size: header.length + dataBytes };
}

const FILES = {
  'coder-Q4_K_M.gguf': coder('Q4_K_M'),
  'coder-Q3_K_M.gguf': coder('Q3_K_M'),
  'coder-UD-IQ2_M.gguf': coder('Q2_K', 'IQ2_S'),
  'coder-UD-Q2_K_XL.gguf': coder('Q2_K', 'IQ3_S'),
};
const UNREADABLE = 'coder-IQ3_XXS.gguf';

describe('check-memory --table --by quantization', () => {
  let hub: RangeServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    hub = await RangeServer.start();
    env = { HF_ENDPOINT: hub.origin };
    for (const [name, file] of Object.entries(FILES)) hub.serve(`/owner/repo/resolve/main/${name}`, file);
    const siblings = [
      ...Object.entries(FILES).map(([rfilename, { size }]) => ({ rfilename, size })),
      { rfilename: UNREADABLE, size: 12_800_000_000 },
      { rfilename: 'other-model-Q8_0.gguf', size: 17e9 },
      { rfilename: 'mmproj-coder-F16.gguf', size: 1e9 },
    ];
    hub.json('/api/models/owner/repo/revision/main', { siblings });
  });

  afterAll(() => hub.close());

  async function rowsOf(args: readonly string[]): Promise<readonly Row[]> {
    const { stdout } = await askCli(['check-memory', ...args, ...BY_QUANTIZATION, '--json'], env);
    return (JSON.parse(stdout) as { table: { rows: readonly Row[] } }).table.rows;
  }

  test("lists the repository's own files, publishers' mixes too, the largest first", async () => {
    const rows = await rowsOf(['hf:owner/repo:Q4_K_M', ...MAC]);
    expect(rows.map(({ quantization }) => quantization)).toEqual([
      'Q4_K_M',
      'Q3_K_M',
      'UD-Q2_K_XL',
      'IQ3_XXS',
      'UD-IQ2_M',
    ]);
    expect(rows.filter(({ asked }) => asked).map(({ quantization }) => quantization)).toEqual(['Q4_K_M']);
    for (const { quantization, fileBytes, estimated } of rows.filter(({ problem }) => problem === null)) {
      expect(fileBytes).toBe(FILES[`coder-${quantization}.gguf` as keyof typeof FILES].size);
      expect(estimated).toBe(false);
    }
  });

  test('each row is what a check of that file says, its largest context what compare says', async () => {
    const rows = (await rowsOf(['hf:owner/repo:Q4_K_M', ...MAC])).filter(({ estimated }) => !estimated);
    const { stdout } = await askCli(['compare', ...rows.map(({ source }) => String(source)), ...MAC, '--json'], env);
    const { models } = JSON.parse(stdout) as {
      models: { verdict: string; requirementBytes: number; largestContext: number | null }[];
    };
    expect(
      rows.map(({ verdict, requirementBytes, largestContext }) => ({ verdict, requirementBytes, largestContext })),
    ).toEqual(
      models.map(({ verdict, requirementBytes, largestContext }) => ({ verdict, requirementBytes, largestContext })),
    );
    expect(rows.map(({ verdict }) => verdict)).toEqual(['does-not-fit', 'tight', 'tight', 'tight']);
  });

  test('where llama-server chooses them, says how many layers each has on the GPU', async () => {
    const card = [
      '--accelerator',
      'cuda',
      '--gpu-memory',
      '16Gi',
      '--system-memory',
      '64Gi',
      '-c',
      '4096',
      '--no-mmproj',
    ];
    const args = ['check-memory', 'hf:owner/repo:Q4_K_M', ...card, '--by', 'quantization'];
    const { stdout } = await askCli(args, env);
    const [head = '', ...lines] = stdout.slice(stdout.indexOf('\nquantization ') + 1).split('\n');
    expect(head).toMatch(/ largest +GPU layers$/);
    const layers = lines.slice(0, 5).map((line) => Number(line.split(/ +/).at(-1)));
    // 64 and the output head where the weights leave room for them, fewer where they do not.
    expect(layers.at(-1)).toBe(65);
    expect(layers[0]).toBeLessThan(65);
    expect(layers).toEqual([...layers].sort((a, b) => a - b));
  });

  test('a file that cannot be read is sized as it is published, and marked', async () => {
    const rows = await rowsOf(['hf:owner/repo:Q4_K_M', ...MAC]);
    const row = rows.find(({ quantization }) => quantization === 'IQ3_XXS');
    expect(row).toMatchObject({ fileBytes: 12_800_000_000, estimated: true });
    expect(row?.problem).toContain('404');
    expect(row?.requirementBytes).toBeGreaterThan(12_800_000_000);
    const { stdout } = await askCli(['check-memory', 'hf:owner/repo:Q3_K_M', ...MAC, ...BY_QUANTIZATION], env);
    expect(stdout).toMatch(/^~ IQ3_XXS +11\.9GB/m);
    expect(stdout).toMatch(/^UD-Q2_K_XL +\d/m);
    expect(stdout).toContain('\n~ worked out from its size, for its header was not read.');
  });

  test('where nothing can be listed, rows are what --quantization would check', async () => {
    const args = ['qwen-coder-32b', ...MAC, '--offline'];
    const rows = await rowsOf(args);
    const names = rows.map(({ quantization }) => quantization);
    for (const wanted of ['Q8_0', 'Q4_0', 'IQ3_XXS', 'Q2_K_S', 'IQ2_M', 'IQ1_S']) expect(names).toContain(wanted);
    expect(names).not.toContain('TQ1_0');
    for (const wanted of ['Q5_K_M', 'IQ2_M']) {
      const { stdout } = await askCli(['check-memory', ...args, '-q', wanted, '--json'], env);
      const { requirementBytes } = JSON.parse(stdout) as { requirementBytes: number };
      expect(rows.find(({ quantization }) => quantization === wanted)?.requirementBytes).toBe(requirementBytes);
    }
  });

  test('lists what lies beside a local file', async () => {
    const { path, remove } = await temporaryFolder();
    const names = ['coder-Q3_K_M.gguf', 'coder-UD-IQ2_M.gguf'] as const;
    for (const name of names) await writeSparseFile(join(path, name), FILES[name].start, FILES[name].size);
    const rows = await rowsOf([join(path, names[0]), ...MAC]);
    expect(rows.map(({ quantization, asked }) => [quantization, asked])).toEqual([
      ['Q3_K_M', true],
      ['UD-IQ2_M', false],
    ]);
    await remove();
  });
});

describe('check-memory --by quantization', () => {
  test('lists what LM Studio keeps of a model, offline too', async () => {
    const { path: HOME, remove } = await temporaryFolder();
    const folder = join(HOME, '.lmstudio/models/owner/coder-GGUF');
    await mkdir(folder, { recursive: true });
    const names = ['coder-Q3_K_M.gguf', 'coder-UD-IQ2_M.gguf'] as const;
    for (const name of names) await writeSparseFile(join(folder, name), FILES[name].start, FILES[name].size);
    const args = ['check-memory', 'lmstudio:coder:Q3_K_M', ...MAC, '--by', 'quantization', '--offline', '--json'];
    const { stdout } = await askCli(args, { HOME });
    const { table } = JSON.parse(stdout) as { table: { origin: string; rows: readonly Row[] } };
    expect(table.origin).toBe('files');
    expect(table.rows.map(({ quantization, asked, estimated }) => [quantization, asked, estimated])).toEqual([
      ['Q3_K_M', true, false],
      ['UD-IQ2_M', false, false],
    ]);
    await remove();
  });

  test('lists the files of a repository of ModelScope', async () => {
    const scope = await RangeServer.start();
    const list = Object.entries(FILES).map(([Path, { size }]) => ({ Path, Size: size, Type: 'blob' }));
    scope.json('/api/v1/models/owner/repo/repo/files', { Data: { Files: list } });
    for (const [name, file] of Object.entries(FILES)) scope.serve(`/models/owner/repo/resolve/master/${name}`, file);
    const args = ['check-memory', 'ms:owner/repo:Q4_K_M', ...MAC, '--by', 'quantization', '--json'];
    const { stdout } = await askCli(args, { MODELSCOPE_DOMAIN: scope.origin });
    const { table } = JSON.parse(stdout) as { table: { rows: readonly Row[] } };
    expect(table.rows.map(({ quantization, source, estimated }) => [quantization, source, estimated])).toEqual([
      ['Q4_K_M', 'ms:owner/repo/coder-Q4_K_M.gguf', false],
      ['Q3_K_M', 'ms:owner/repo/coder-Q3_K_M.gguf', false],
      ['UD-Q2_K_XL', 'ms:owner/repo/coder-UD-Q2_K_XL.gguf', false],
      ['UD-IQ2_M', 'ms:owner/repo/coder-UD-IQ2_M.gguf', false],
    ]);
    await scope.close();
  });
});

describe('a quantization that cannot be read or worked out offline', () => {
  const OFFERED = 'Q8_0, Q6_K, Q5_K_M, Q5_K_S, Q4_K_M, Q4_K_S, IQ4_XS, Q3_K_L, Q3_K_M, Q3_K_S, Q2_K';

  test.each([
    ['that nobody has is no quantization', 'NOPE', 2, 'Error: there is no quantization NOPE\n'],
    ['as publishers mix them is not known from here', 'UD-Q4_K_XL', 3, 'Instruct-UD-Q4_K_XL.gguf was not read on this'],
  ])('%s, and which there are is said', async (_name, quantization, code, problem) => {
    for (const command of [['check-memory', ...MAC], ['fit', ...MAC], ['inspect']]) {
      const args = [...command, 'qwen-coder-32b', '-q', quantization, '--offline'];
      const { stdout, stderr, exitCode } = await askCli(args);
      expect(stderr).toContain(problem);
      expect(stderr).toContain(`Suggestion: without its source, qwen-2.5-coder-32b can be checked as ${OFFERED}\n`);
      expect(stdout).toBe('');
      expect(exitCode).toBe(code);
    }
  });

  test('of weights that no recipe makes smaller is what the file has', async () => {
    const { stderr, exitCode } = await askCli(['check-memory', 'gpt-oss-20b', '-q', 'Q8_0', ...MAC, '--offline']);
    expect(stderr).toContain('gpt-oss-20b can be checked as MXFP4\n');
    expect(exitCode).toBe(3);
  });

  test('is named in JSON as it was asked for', async () => {
    const { stdout } = await askCli(['check-memory', 'qwen-coder-32b', '-q', 'UD-Q4_K_XL', '--offline', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      model: { quantization: 'UD-Q4_K_XL' },
      error: { code: 'SOURCE_OFFLINE' },
    });
  });
});

describe('fit', () => {
  test('keeps to the quantization that is asked for', async () => {
    for (const quantization of ['Q2_K', 'Q3_K_S']) {
      const { stdout } = await askCli(['fit', 'qwen-coder-32b', '-q', quantization, ...MAC, '--offline', '--json']);
      expect((JSON.parse(stdout) as { command: string }).command).toContain(`--quantization ${quantization}`);
    }
    const { stderr, exitCode } = await askCli(['fit', 'qwen-coder-32b', '-q', 'Q8_0', ...MAC, '--offline']);
    expect(stderr).toContain('insufficient memory for qwen-coder-32b (Q8_0)');
    expect(exitCode).toBe(1);
  });
});
