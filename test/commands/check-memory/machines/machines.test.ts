import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { fakeMac, fakeMachine, type FakeMachine } from '../../../support/fake-machine.js';
import { askCli } from '../../../support/cli-session.js';
import { temporaryFolder } from '../../../support/sparse-file.js';

const GIB = 2 ** 30;
const sample = (name: string): string => fileURLToPath(new URL(`../../../lib/host/samples/${name}`, import.meta.url));

interface Checked {
  readonly verdict: string;
  readonly limits: readonly { readonly name: string; readonly budget: { readonly bytes: number } }[];
  readonly tight: readonly { readonly reason: string; readonly giveUpBytes?: number }[];
  readonly programs: readonly { readonly name: string }[];
  readonly suggestions: readonly { readonly flags: readonly string[] }[];
  readonly error?: { readonly code: string; readonly message: string };
  readonly warnings: readonly string[];
}

async function check(words: readonly string[], env: Readonly<Record<string, string>>) {
  const { stdout, exitCode } = await askCli(['check-memory', ...words, '--offline', '--json'], env);
  return { json: JSON.parse(stdout) as Checked, exitCode };
}

/** A Mac of 48 GB with macOS 26, whose other programs hold what `vm_stat` printed. */
const mac = (vmStat: string, gigabytes: number): Promise<FakeMachine> =>
  fakeMac({
    sysctl: `case "$2" in
hw.memsize) echo ${gigabytes * GIB};;
iogpu.wired_limit_mb) echo 0;;
kern.osproductversion) echo 26.1;;
esac`,
    vm_stat: `cat '${sample(vmStat)}'`,
    ioreg: 'exit 1',
    top: `printf 'PID MEM COMMAND\\n42 18G ollama\\n43 3G Safari\\n'`,
  });

describe('a busy Mac, of whose 48 GB 21.1 are loosely and 9.4 strictly available', () => {
  let busy: FakeMachine;
  beforeAll(async () => {
    busy = await mac('vm_stat-m5pro-48gb-a.txt', 48);
  });
  afterAll(() => busy.remove());

  test('admits what the loose figure holds as tight, and says what others would have to give up, and who', async () => {
    const words = ['llama-3.2-3b', '-c', '8192', '--parallel', '1', '--cache-ram', '0'];
    const { json, exitCode } = await check(words, busy.env);
    expect([exitCode, json.verdict]).toEqual([0, 'tight']);
    expect(json.tight.map(({ reason }) => reason)).toContain('others');
    expect(json.programs.map(({ name }) => name)).toEqual(['ollama', 'Safari']);
    const { stdout } = await askCli(['check-memory', ...words, '--offline'], busy.env);
    expect(stdout).toMatch(
      /^TIGHT .*\n {7}other programs would have to give up [\d.]+GB of the 11\.8GB that they do not use at the moment, by compression or swap \(most is held by: ollama 18GB, Safari 3GB\)/,
    );
  });

  test('refuses what the loose figure does not hold, in the four lines of every refusal', async () => {
    const { stdout, stderr, exitCode } = await askCli(['check-memory', 'qwen-coder-32b', '--offline'], busy.env);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr.split('\n').slice(0, 4)).toEqual([
      'Error: insufficient memory for qwen-coder-32b (Q4_K_M)',
      '  Estimated requirement: ~21GB',
      '  Available budget: 9.1GB (48GB system × 0.75 fraction − 26.9GB in use)',
      expect.stringMatching(/^ {2}Suggestion: /),
    ]);
  });

  test('says with its advice, and on its page, what others would have to give up', async () => {
    const { path, remove } = await temporaryFolder();
    const page = join(path, 'page.html');
    const words = ['llama-3.1-8b', '-c', '8192', '--cache-ram', '0', '--html', page];
    const { json } = await check(words, busy.env);
    expect(json.verdict).toBe('tight');
    expect(await readFile(page, 'utf8')).toContain('other programs would have to give up');
    const refused = await askCli(['check-memory', 'qwen-2.5-14b', '--offline'], busy.env);
    expect(refused.stderr.replace(/\s+/g, ' ')).toMatch(/ --[^;]+; other programs would have to give up [\d.]+[GM]B/);
    await remove();
  });
});

test('a Mac whose inactive pages are nobody’s has room as before', async () => {
  const idle = await mac('vm_stat-4096.txt', 32);
  const { json, exitCode } = await check(['llama-3.2-3b', '-c', '8192', '--cache-ram', '0'], idle.env);
  expect([exitCode, json.verdict, json.tight]).toEqual([0, 'fits', []]);
  await idle.remove();
});

/** 24 and 8 GB, the larger one first. */
const TWO_GPUS = `printf '24576, 10, GPU-aaaa, [N/A], NVIDIA GeForce RTX 4090, 24566\\n8192, 300, GPU-bbbb, [N/A], NVIDIA GeForce RTX 3070, 7892\\n'`;
const LAUNCH = ['llama-3.1-8b', '--accelerator', 'cuda', '-c', '8192', '--gpu-layers', 'all'];

describe('a machine with GPUs', () => {
  let machine: FakeMachine;
  beforeAll(async () => {
    machine = await fakeMachine({ 'nvidia-smi': TWO_GPUS });
  });
  afterAll(() => machine.remove());

  const gpus = async (env: Readonly<Record<string, string>>) => {
    const { json } = await check(LAUNCH, { ...machine.env, ...env });
    const budgets = json.limits
      .filter(({ name }) => name === 'gpu')
      .map(({ budget }) => Math.round(budget.bytes / GIB));
    return json.error?.message ?? [...budgets].sort((a, b) => a - b);
  };

  test.each([
    [{}, [8, 24]],
    [{ CUDA_VISIBLE_DEVICES: 'GPU-bbbb' }, [8]],
    [{ CUDA_VISIBLE_DEVICES: '1' }, [8]],
    [{ CUDA_VISIBLE_DEVICES: '0', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }, [24]],
    [{ CUDA_VISIBLE_DEVICES: '' }, 'CUDA_VISIBLE_DEVICES hides every GPU of this machine'],
    [{ CUDA_VISIBLE_DEVICES: '-1' }, 'CUDA_VISIBLE_DEVICES hides every GPU of this machine'],
  ])('counts those that %j leaves', async (env, expected) => {
    expect(await gpus(env)).toEqual(expected);
  });

  test('is what layers on the GPU are meant for where none is named', async () => {
    const { json, exitCode } = await check(['llama-3.1-8b', '-c', '8192', '--gpu-layers', 'all'], machine.env);
    expect([exitCode, json.verdict]).toEqual([0, 'fits']);
    expect(json.limits.filter(({ name }) => name === 'gpu')).toHaveLength(2);
  });

  test.each([[['check-memory']], [['check-memory', '--gpu-layers', 'all']], [['fit', '--gpu-layers', 'all']]])(
    'is asked what it is once, and once what it has left: %j',
    async ([command = '', ...flags]) => {
      const { path, remove } = await temporaryFolder();
      const asked = await fakeMachine({ 'nvidia-smi': `echo "$@" >> ${join(path, 'asked')}; ${TWO_GPUS}` });
      const { exitCode } = await askCli([command, 'llama-3.1-8b', '-c', '8192', '--offline', ...flags], asked.env);
      const lines = (await readFile(join(path, 'asked'), 'utf8')).trim().split('\n');
      expect([exitCode, lines.length]).toEqual([0, 2]);
      await Promise.all([asked.remove(), remove()]);
    },
  );

  test('does not let nvidia-smi speak for other vendors', async () => {
    for (const accelerator of ['rocm', 'intel']) {
      const { json, exitCode } = await check(['llama-3.1-8b', '--accelerator', accelerator], machine.env);
      expect([exitCode, json.error?.code]).toEqual([3, 'GPU_MEMORY_UNKNOWN']);
    }
  });
});

test.each([
  ['hangs, and so does what it started', `trap '' TERM; sleep 60 & wait`],
  ['may not say', `echo '[Insufficient Permissions], [Insufficient Permissions], GPU-c, [N/A], NVIDIA A10'`],
  ['says something else', 'echo NVIDIA-SMI has failed'],
])('a GPU is not known where nvidia-smi %s', async (_case, script) => {
  const machine = await fakeMachine({ 'nvidia-smi': script });
  const { json, exitCode } = await check(LAUNCH, machine.env);
  expect([exitCode, json.error?.code]).toEqual([3, 'GPU_MEMORY_UNKNOWN']);
  await machine.remove();
});

test.each([
  ['fails', 'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver" >&2; exit 9'],
  ['lists none', 'exit 6'],
])('a check for the CPU says so where nvidia-smi %s', async (_case, script) => {
  const machine = await fakeMachine({ 'nvidia-smi': script });
  const words = ['llama-3.1-8b', '-c', '8192', '--memory-fraction', '1'];
  const note = 'lists no GPU, so the launch is for cpu: for a GPU name it with --accelerator and --gpu-memory';
  expect((await check(words, machine.env)).json.warnings).toContainEqual(expect.stringContaining(note));
  const { stdout, stderr } = await askCli(['check-memory', ...words, '--offline'], machine.env);
  expect(`${stdout}${stderr}`.replace(/\s+/g, ' ')).toContain(note);
  await machine.remove();
});

describe('a GPU that is said to have nearly the machine’s memory', () => {
  const given = ['--gpu-memory', '60Gi', '--system-memory', '64Gi', '--in-use', '0', '--accelerator', 'rocm'];
  const large = ['llama-3.3-70b', ...given, '-c', '32768', '--gpu-layers', '60'];
  const note = 'GPU and system memory count as two here; if the GPU has no memory of its own';

  test('is told what it means if both are one memory', async () => {
    const { stdout, exitCode } = await askCli(['check-memory', ...large, '--offline'], {});
    expect(exitCode).toBe(0);
    expect(stdout.replace(/\s+/g, ' ')).toContain(`${note} (GB10, Strix Halo, Jetson), it does not fit`);
    expect((await check([...large, '--unified-memory'], {})).json.verdict).toBe('does-not-fit');
  });

  test.each([
    ['nothing changes', ['llama-3.1-8b', ...given, '-c', '8192']],
    [
      'the card is a usual one',
      [
        'llama-3.1-8b',
        '-c',
        '8192',
        '--accelerator',
        'cuda',
        '--gpu-memory',
        '24Gi',
        '--system-memory',
        '32Gi',
        '--in-use',
        '16Gi',
      ],
    ],
  ])('is not bothered where %s', async (_case, words) => {
    expect((await askCli(['check-memory', ...words, '--offline'], {})).stdout).not.toContain(note);
  });
});

describe('a machine that is only described', () => {
  const given = async (...words: string[]) =>
    (await check(['llama-3.3-70b', '--accelerator', 'metal', ...words], {})).json;

  test('has nothing in use beside an absolute budget, which is said', async () => {
    const { warnings } = (await given('--memory-budget', '60Gi', '--in-use', '3Gi')) as Checked & {
      warnings: string[];
    };
    expect(warnings).toContain('--in-use says nothing beside --memory-budget');
  });

  test('is advised with the limit of its own where another was typed, which would hold for it too', async () => {
    const typed = ['--system-memory', '32Gi', '--gpu-wired-limit', '30Gi', '-c', '131072', '-np', '8'];
    const { suggestions } = await given(...typed);
    // What Metal may wire by itself on a Mac of 128 GB is 96 GB.
    expect(suggestions.map(({ flags }) => flags)).toEqual([['--system-memory 128Gi', '--gpu-wired-limit 98304Mi']]);
    const words = suggestions.flatMap(({ flags }) => flags.flatMap((flag) => flag.split(' ')));
    expect((await given(...typed, ...words)).verdict).toBe('fits');
  });
});
