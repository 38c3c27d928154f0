import { beforeAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../../../support/run-cli.js';

/*
 * Two GPUs of which the first is full with a long context and the second with a short one, and a GPU beside a machine that has little to spare:
 * what is said of one memory is never held against the budget of another.
 */
const GPUS = ['--accelerator', 'cuda', '--gpu-memory', '13Gi,11Gi', '--system-memory', '64Gi', '--in-use', '4Gi'];
const CODER = ['check-memory', 'qwen-coder-32b', ...GPUS, '--offline'];
const GIB = 2 ** 30;

interface Limit {
  readonly name: string;
  readonly gpu?: number;
  readonly requiredBytes: number;
  readonly budget: { readonly bytes: number };
}
interface Cell {
  readonly limit: string;
  readonly gpu: number;
  readonly requirementBytes: number;
  readonly budgetBytes: number;
}
interface Views {
  readonly limits: readonly Limit[];
  readonly table: { readonly rows: readonly { readonly tokens: number; readonly cells: readonly Cell[] }[] };
  readonly chart: {
    readonly limit: string;
    readonly gpu: number;
    readonly points: readonly { readonly tokens: number; readonly requirementBytes: number }[];
  };
}

async function askedAt(tokens: number): Promise<readonly Limit[]> {
  const { stdout } = await runCli([...CODER, '--ctx-size', String(tokens), '--json']);
  return (JSON.parse(stdout) as Views).limits;
}

const asked = new Map<number, Promise<readonly Limit[]>>();
function limitsAt(tokens: number): Promise<readonly Limit[]> {
  const known = asked.get(tokens) ?? askedAt(tokens);
  asked.set(tokens, known);
  return known;
}

const onGpu = (limits: readonly Limit[], gpu: number): Limit | undefined =>
  limits.find((limit) => limit.name === 'gpu' && limit.gpu === gpu);

describe('with two GPUs', () => {
  let views: Views;
  let text: string;
  beforeAll(async () => {
    const words = [...CODER, '--table', '--chart'];
    const [json, read] = await Promise.all([runCli([...words, '--json']), runCli(words, { COLUMNS: '120' })]);
    views = JSON.parse(json.stdout) as Views;
    text = read.stdout;
  });

  test('each cell of the table says which of them its amounts are of', async () => {
    const short = views.table.rows[0]?.cells[0];
    const long = views.table.rows.at(-1)?.cells[0];
    expect([short?.gpu, long?.gpu]).toEqual([1, 0]);
    expect([short?.budgetBytes, long?.budgetBytes]).toEqual([11 * GIB, 13 * GIB]);
    expect(short?.requirementBytes).toBe(onGpu(await limitsAt(2048), 1)?.requiredBytes);
    expect(long?.requirementBytes).toBe(onGpu(await limitsAt(32768), 0)?.requiredBytes);
    expect(text).toMatch(/^ +2048 +[\d.]+GB GPU 1 ok/m);
    expect(text).toMatch(/^ +32768 +[\d.]+GB GPU 0 no/m);
    expect(text).toContain('budget: of GPU 1 (11GB), of GPU 0 (13GB).');
  });

  test('all points of the chart are of the one that decides at its end', async () => {
    const { gpu, points } = views.chart;
    expect(gpu).toBe(0);
    for (const point of [points[0], points.at(-1)]) {
      expect(point?.requirementBytes).toBe(onGpu(await limitsAt(point?.tokens ?? 0), 0)?.requiredBytes);
    }
  });

  test('there is a bar for each and one for the host', () => {
    const [, ...bars] = text.split(/^(?=GPU \d$|memory$)/m);
    expect(bars.map((bar) => bar.split('\n')[0])).toEqual(['GPU 1', 'GPU 0', 'memory']);
    for (const [index, gpu] of [1, 0].entries()) {
      const { requiredBytes = 0, budget } = onGpu(views.limits, gpu) ?? {};
      const size = (bytes: number): string => `${Number((bytes / GIB).toFixed(1))}GB`;
      expect(bars[index]).toContain(`In words: ${size(requiredBytes)} of ${size(budget?.bytes ?? 0)} taken; `);
    }
    expect(bars[2]).toContain('░ in use 4GB');
  });

  test('a refusal and a fit say what is taken of each', async () => {
    const refused = await runCli([...CODER, '--ctx-size', '32768']);
    expect(refused.stderr).toMatch(
      /^ {2}Of each memory: [\d.]+GB of 13GB on GPU 0, [\d.]+GB of 11GB on GPU 1, [\d.]+[MG]B of 44GB on the host$/m,
    );
    const { stdout } = await runCli(['fit', ...CODER.slice(1)], { COLUMNS: '120' });
    for (const where of ['11GB on GPU 1', '13GB on GPU 0', '44GB on the host'])
      expect(stdout).toMatch(new RegExp(`[\\d.]+[MG]B of ${where}, [\\d.]+[MG]B to spare`));
  });
});

test('advice on what a GPU refuses says what is left on the GPU, though the host has less to spare then', async () => {
  const card = ['--accelerator', 'cuda', '--gpu-memory', '24Gi', '--offline'];
  const limitsWith = async (hostBytes: number): Promise<{ limits: readonly Limit[]; said: string }> => {
    const words = ['check-memory', 'llama-3.3-70b', '-c', '8192', ...card, '--memory-budget', String(hostBytes)];
    const [{ stdout }, { stderr }] = await Promise.all([runCli([...words, '--json']), runCli(words)]);
    const { suggestions } = JSON.parse(stdout) as { suggestions: readonly { limits: readonly Limit[] }[] };
    return { limits: suggestions[0]?.limits ?? [], said: stderr.split('With these flags it fits')[1] ?? '' };
  };
  const needed = (limits: readonly Limit[], name: string): number =>
    limits.find((limit) => limit.name === name)?.requiredBytes ?? 0;
  const { limits: easy } = await limitsWith(40 * GIB);
  const { limits, said } = await limitsWith(needed(easy, 'memory') + 2 ** 20);
  expect(limits[0]?.name).toBe('memory');
  const gpu = `${Number((needed(limits, 'gpu') / GIB).toFixed(1))}GB`;
  expect(said).toMatch(new RegExp(`^ +${gpu} {2}--`, 'm'));
  expect(said.replace(/\s+/g, ' ')).toMatch(
    new RegExp(`${gpu} of 24GB on the GPU, [\\d.]+GB of [\\d.]+GB on the host`),
  );
});
