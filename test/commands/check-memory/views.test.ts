import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILES } from '../../oracle/cases.js';
import { askCli } from '../../support/cli-session.js';
import { readProfile, writeProfile } from '../../support/models/profile.js';
import { temporaryFolder } from '../../support/sparse-file.js';

const GOLDEN = new URL('../../golden/', import.meta.url);
const MAC = ['--accelerator', 'metal', '--system-memory', '32Gi', '--in-use', '3.4Gi', '--offline'];
const CODER = ['qwen-coder-32b', ...MAC];
const GEMMA = ['gemma-3-12b', ...MAC];

const VERSIONS = ['--ctx-size', '8192', ...MAC];

/** Written anew with UPDATE_GOLDEN=1; look at what changes. */
function expectGolden(name: string, text: string): void {
  const file = new URL(`${name}.txt`, GOLDEN);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

const WIDTHS = [60, 80, 120];

const VIEWS: readonly (readonly [string, readonly string[]])[] = [
  ['refusal', ['check-memory', ...CODER]],
  ['chart', ['check-memory', ...CODER, '--chart']],
  ['table', ['check-memory', ...CODER, '--table', '-q', 'Q3_K_M']],
  ['quantizations', ['check-memory', ...CODER, '--table', '--by', 'quantization', '-q', 'Q3_K_M']],
  ['machines', ['check-memory', ...CODER, '--machines']],
  ['fit-quality', ['fit', ...CODER]],
  ['compare', ['compare', 'qwen-coder-32b', 'gemma-3-12b', 'gpt-oss-20b', 'llama-3.1-8b', ...MAC]],
  ['savings', ['check-memory', ...GEMMA, '--savings']],
  ['together', ['compare', 'gemma-3-12b', 'phi-4-mini', 'llama-3.2-3b', '--together', ...MAC]],
  ['larger-machine', ['check-memory', 'llama-3.3-70b', ...MAC]],
  ['chart-fits', ['check-memory', ...GEMMA, '--chart']],
  ['table-slots', ['check-memory', ...GEMMA, '--table', '--by', 'slots']],
  ['fit-context', ['fit', ...CODER, '--prefer', 'context']],
];

/** Printed in colour, too. */
const PICTURES = ['chart', 'table', 'quantizations', 'machines', 'fit-quality', 'compare', 'savings'];

/** Pictures and tables are never wider than the columns; a path before them may be. */
const FITTED = ['chart', 'table', 'table-slots', 'quantizations', 'machines', 'savings', 'compare'];
/** Nothing in them is wider than the columns. */
const FITTED_WHOLE = ['fit-quality', 'fit-context'];
const TABLE = '\n\n';

describe('what people read', () => {
  const cases = VIEWS.flatMap(([name, args]) => WIDTHS.map((width) => [name, width, args] as const));

  test.each(cases)('%s in %i columns', async (name, width, args) => {
    const { stdout, stderr } = await askCli(args, { COLUMNS: String(width) });
    if (FITTED_WHOLE.includes(name)) expect(longestLine(stdout)).toBeLessThanOrEqual(width);
    if (FITTED.includes(name)) expect(longestLine(stdout.split(TABLE).at(-1) ?? '')).toBeLessThanOrEqual(width);
    expectGolden(`${name}.${width}`, `${stdout}${stderr === '' ? '' : `--- stderr\n${stderr}`}`);
  });

  test.each(PICTURES)('%s in colour says the same', async (name) => {
    const args = VIEWS.find(([view]) => view === name)?.[1] ?? [];
    const { stdout } = await askCli(args, { COLUMNS: '80', FORCE_COLOR: '1' });
    expect(stdout).toContain('\u001b[');
    const [plain] = readFileSync(new URL(`${name}.80.txt`, GOLDEN), 'utf8').split('--- stderr\n');
    // eslint-disable-next-line no-control-regex
    expect(stdout.replace(/\u001b\[\d+m/g, '')).toBe(plain);
    expectGolden(`${name}.80.colour`, stdout);
  });
});

function longestLine(text: string): number {
  return Math.max(...text.split('\n').map((line) => [...line].length));
}

describe('fit', () => {
  test('prints a command whose launch the check lets through', async () => {
    for (const prefer of ['quality', 'context']) {
      const { stdout, exitCode } = await askCli(['fit', ...CODER, '--prefer', prefer, '--json']);
      expect(exitCode).toBe(0);
      const { command } = JSON.parse(stdout) as { command: string };
      const [, verb, ...words] = command.split(' ');
      expect(verb).toBe('deploy');
      const check = await askCli(['check-memory', ...words, '--offline', '--json']);
      expect(JSON.parse(check.stdout)).toMatchObject({ verdict: 'fits' });
    }
  });

  test('refuses with the smallest machine when nothing fits', async () => {
    const { stdout, stderr, exitCode } = await askCli(['fit', 'llama-3.3-70b', ...MAC]);
    expect(stdout).toBe('');
    expect(stderr).toContain('--system-memory 128Gi');
    expect(exitCode).toBe(1);
  });
});

describe('compare', () => {
  test('wants two models', async () => {
    const { stderr, exitCode } = await askCli(['compare', 'phi-4', ...MAC]);
    expect(stderr).toContain('nothing to compare it with');
    expect(exitCode).toBe(2);
  });

  test('shows one model in several versions of llama.cpp, and what each change between them does', async () => {
    const { stdout, exitCode } = await askCli(['compare', 'llama-3.1-8b', ...VERSIONS, '--llama-cpp', 'v0.5.0,b11434']);
    expect(stdout).toMatch(/^llama-3\.1-8b, MB +v0\.5\.0 +b11434\n/);
    // Embeddings of 512 tokens, 4096 floats each, are 8 MB: since b11434 twice on the host and twice on the GPU.
    expect(stdout).toMatch(/^compute buffer, host +24\.0 +40\.0$/m);
    expect(stdout).toMatch(/^verdict +fits +fits$/m);
    expect(stdout).toMatch(/^v0\.5\.0 to b11434: \+32MB\n +\+32MB {2}a batch may mix tokens and embeddings/m);
    expect(exitCode).toBe(0);
  });

  test('tells versions as data: a check for each, and the steps between them', async () => {
    const args = ['compare', 'llama-3.1-8b', ...VERSIONS, '--llama-cpp', 'b11434,v0.8.0', '--json'];
    const { models, steps } = JSON.parse((await askCli(args)).stdout) as {
      models: { launch: { llamaCpp: string }; requirementBytes: number }[];
      steps: { from: string; to: string; bytes: number; causes: { change: string; bytes: number }[] }[];
    };
    expect(models.map(({ launch }) => launch.llamaCpp)).toEqual(['b11434', 'v0.8.0']);
    const [before, after] = models.map(({ requirementBytes }) => requirementBytes) as [number, number];
    expect(steps).toMatchObject([{ from: 'b11434', to: 'v0.8.0', bytes: after - before }]);
    expect(steps[0]?.causes.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(after - before);
  });

  test('tells each check and its largest context as data', async () => {
    const { stdout, exitCode } = await askCli(['compare', 'phi-4', 'gemma-3-12b', ...MAC, '--json']);
    const { models } = JSON.parse(stdout) as { models: { verdict: string; largestContext: number }[] };
    expect(models.map(({ verdict }) => verdict)).toEqual(['tight', 'tight']);
    expect(models.every(({ largestContext }) => largestContext % 256 === 0 && largestContext > 0)).toBe(true);
    expect(exitCode).toBe(0);
  });
});

describe('compare --together', () => {
  type Limits = readonly { readonly name: string; readonly requiredBytes: number; readonly headroomBytes: number }[];
  interface Json {
    readonly models: readonly { readonly limits: Limits }[];
    readonly together: {
      readonly verdict: string;
      readonly limits: Limits;
      readonly sets: readonly { readonly models: readonly string[] }[];
    };
  }
  const PAIR = ['gemma-3-12b', 'phi-4-mini'];
  const together = async (...args: string[]) => {
    const { stdout, exitCode } = await askCli(['compare', ...args, '--together', ...MAC, '--json']);
    return { ...(JSON.parse(stdout) as Json), exitCode };
  };

  test('adds up what each takes, limit by limit, against one budget', async () => {
    const { models, together: all, exitCode } = await together(...PAIR);
    for (const { name, requiredBytes } of all.limits) {
      const each = models.map(({ limits }) => limits.find((limit) => limit.name === name)?.requiredBytes ?? 0);
      expect(requiredBytes).toBe(each.reduce((sum, bytes) => sum + bytes, 0));
    }
    expect(all.sets).toEqual([]);
    expect(all.verdict).not.toBe('does-not-fit');
    expect(exitCode).toBe(0);
  });

  test('names the sets that fit where all are too much, those with most models first', async () => {
    // 10.4, 21.2, 4.2 and 14.6 GB of 18
    const { together: all, exitCode } = await together(
      ...['gemma-3-12b', 'qwen-coder-32b', 'phi-4-mini', 'mistral-small-24b'],
      '-c',
      '8192',
    );
    expect(all.verdict).toBe('does-not-fit');
    expect(all.sets.map(({ models }) => models)).toEqual([['gemma-3-12b', 'phi-4-mini'], ['mistral-small-24b']]);
    expect(exitCode).toBe(1);
  });
});

describe('the largest context', () => {
  const lineOf = async (...args: string[]) => {
    const { stdout } = await askCli(['check-memory', ...args, ...MAC]);
    return /^largest +(.*)$/m.exec(stdout)?.[1];
  };

  test('is said beside the trained one, as compare says it', async () => {
    const { stdout } = await askCli(['compare', 'gemma-3-12b', 'phi-4', ...MAC, '--json']);
    const { models } = JSON.parse(stdout) as { models: { largestContext: number }[] };
    const tokens = models[0]?.largestContext ?? 0;
    expect(tokens).toBeLessThan(131072);
    expect(await lineOf('gemma-3-12b')).toBe(`${tokens} tokens fit, of the 131072 that it was trained with`);
    expect(await lineOf('phi-4')).toBe('16384 tokens, all that it was trained with');
    const asked = await askCli(['check-memory', 'gemma-3-12b', '-c', String(tokens), ...MAC, '--json']);
    const more = await askCli(['check-memory', 'gemma-3-12b', '-c', String(tokens + 256), ...MAC, '--json']);
    expect(JSON.parse(asked.stdout)).toMatchObject({ verdict: 'tight', largestContext: tokens });
    expect(JSON.parse(more.stdout)).toMatchObject({ verdict: 'does-not-fit', largestContext: tokens });
  });

  test('is said for each slot where slots do not share it', async () => {
    const line = await lineOf('phi-4-mini', '--parallel', '2', '--no-kv-unified', '-c', '16384');
    const tokens = Number(/^(\d+) tokens for each slot fit, of the 131072/.exec(line ?? '')?.[1]);
    const total = ['check-memory', 'phi-4-mini', '--parallel', '2', '--no-kv-unified', ...MAC, '--json'];
    const [fitting, more] = await Promise.all(
      [tokens, tokens + 256].map((each) => askCli([...total, '-c', String(2 * each)])),
    );
    expect([fitting?.exitCode, more?.exitCode]).toEqual([0, 1]);
  });

  test('a context beyond the trained one is said to be', async () => {
    const { stdout } = await askCli(['check-memory', 'phi-4', '-c', '20480', ...MAC]);
    expect(stdout).toContain('largest   16384 tokens, all that it was trained with');
    expect(stdout).toContain('20480 tokens are more than the 16384 that the model was trained with');
  });
});

describe('views as data', () => {
  test('--table, --machines and --chart add a field each', async () => {
    const { stdout, exitCode } = await askCli(['check-memory', ...GEMMA, '--table', '--machines', '--chart', '--json']);
    const json = JSON.parse(stdout) as Record<string, { largest?: number[]; largestContext?: number }>;
    expect(json.table?.largest).toHaveLength(3);
    expect(json.chart?.largestContext).toBe(json.table?.largest?.[0]);
    expect(json.machines).toHaveLength(13);
    expect(exitCode).toBe(0);
  });

  test('--by is a table without --table, too', async () => {
    const [by, table] = await Promise.all([
      askCli(['check-memory', ...GEMMA, '--by', 'slots']),
      askCli(['check-memory', ...GEMMA, '--table', '--by', 'slots']),
    ]);
    expect(by.stdout).toContain('per slot');
    expect(by).toEqual(table);
  });
});

test('a chart says with which layers it is drawn where llama-server would choose others, and what fits with those', async () => {
  const card = [
    '--accelerator',
    'cuda',
    '--gpu-memory',
    '8Gi',
    '--system-memory',
    '32Gi',
    '--in-use',
    '2Gi',
    '--offline',
  ];
  const shown = ['check-memory', 'llama-3.1-8b', ...card, '-c', '8192', '--chart'];
  const { stdout: open } = await askCli([...shown, '--gpu-layers', 'auto']);
  expect(open).toContain('largest   131072 tokens');
  expect(open.replaceAll('\n', ' ')).toMatch(
    /Drawn with 33 layers on the GPU, as chosen for the launch asked \(--fit\); with those chosen for each context, up to 131072 tokens fit\./,
  );
  const { stdout: named } = await askCli([...shown, '--gpu-layers', '33']);
  expect(named).not.toContain('Drawn with');
  const { chart } = JSON.parse((await askCli([...shown, '--gpu-layers', '20', '--json'])).stdout) as { chart: object };
  expect(chart).toMatchObject({ gpuLayers: 20 });
});

test.each([['--savings'], ['--table'], ['--machines']])(
  '%s says with which layers its rows are, only where llama-server chose them',
  async (view) => {
    const small = ['--accelerator', 'metal', '--system-memory', '8Gi', '--in-use', '5Gi', '--offline'];
    const { path, remove } = await temporaryFolder();
    const file = join(path, 'llama-3.1-8b.Q5_K_M.gguf');
    await writeProfile(readProfile(join(PROFILES, 'llama-3.1-8b.Q5_K_M.json')), file);
    const shown = ['check-memory', file, ...small, view];
    const [chosen, named] = await Promise.all(
      ['auto', '25'].map(async (layers) => (await askCli([...shown, '--gpu-layers', layers])).stdout),
    );
    await remove();
    expect(chosen).toMatch(/^Each row is with 25 layers on the GPU, as chosen for the launch asked \(--fit\)\.$/m);
    expect(named).toMatch(/ tight| no/);
    expect(named).not.toContain('as chosen');
  },
);
