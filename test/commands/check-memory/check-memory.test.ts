import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { runCli } from '../../support/run-cli.js';

const schema = JSON.parse(
  readFileSync(new URL('../../../schemas/check-memory.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv({ strict: false }).compile(schema);

const MAC = (gigabytes: number, inUse = '3.4Gi'): string[] => [
  ...['--accelerator', 'metal', '--system-memory', `${gigabytes}Gi`],
  ...['--in-use', inUse, '--offline'],
];

const check = (...args: string[]) => runCli(['check-memory', ...args]);

async function checkJson(...args: string[]) {
  const { stdout, stderr, exitCode } = await check(...args, '--json');
  const json = JSON.parse(stdout) as Record<string, unknown>;
  expect(validate(json) || validate.errors).toBe(true);
  expect(stderr).toBe('');
  return { json, exitCode };
}

describe('check-memory', () => {
  test('refuses a 21 GB model on a 32 GB Mac, to the letter', async () => {
    const { stdout, stderr, exitCode } = await check('qwen-coder-32b', ...MAC(32));
    const [error, requirement, budget, suggestion, ...more] = stderr.split('\n');
    expect(error).toBe('Error: insufficient memory for qwen-coder-32b (Q4_K_M)');
    expect(requirement).toBe('  Estimated requirement: ~21GB');
    expect(budget).toBe('  Available budget: 18GB (32GB system × 0.67 fraction − 3.4GB in use)');
    expect(suggestion).toBe('  Suggestion: try a smaller quantization, reduce --ctx-size, or free system memory');
    expect(more[0]).toMatch(/^ {2}Calculated for: llama\.cpp v\d/);
    expect(more[1]).toBe('');
    expect(more.at(-2)).toMatch(/^Note: .*bundled header/);
    expect(more.at(-1)).toBe('');
    expect(stdout).toBe('');
    expect(exitCode).toBe(1);
  });

  test('writes its page to standard output, and nothing else there', async () => {
    const page = await check('llama-3.2-3b', ...MAC(32), '--html', '-');
    expect(page.stdout).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
    expect(page.exitCode).toBe(0);
    const refused = await check('llama-3.3-70b', ...MAC(32), '--html', '-');
    expect(refused.stdout).toMatch(/^<!doctype html>/);
    expect(refused.stderr).toMatch(/^Error: insufficient memory/);
    expect(refused.exitCode).toBe(1);
    for (const more of [['--json'], ['--table'], ['--print', 'exec']])
      expect((await check('llama-3.2-3b', ...MAC(32), '--html', '-', ...more)).exitCode).toBe(2);
  });

  test('lets it through on a 64 GB Mac, item by item', async () => {
    const { stdout, stderr, exitCode } = await check('qwen-coder-32b', ...MAC(64));
    expect(stdout).toMatch(/^FITS {2}qwen-coder-32b \(Q4_K_M\), 23\.4GB to spare\n/);
    expect(stdout).toMatch(/^ {2}weights +18\.5GB {2}GPU$/m);
    expect(stdout).toMatch(/^ {2}KV cache +2GB {2}GPU$/m);
    expect(stdout).toMatch(/^context {3}8192 tokens, 4 slots sharing one KV cache$/m);
    expect(stdout).toContain('64GB × 0.75 − 3.4GB in use');
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('says what makes a fit tight, and by how much', async () => {
    const { stdout, exitCode } = await check('qwen-coder-32b', ...MAC(48, '12Gi'));
    // 48 × 0.75 − 12 = 24 GiB; the prompt cache of 8 GiB does not fit beside 21.2
    expect(stdout).toMatch(/^TIGHT {2}qwen-coder-32b/);
    expect(stdout).toMatch(/the prompt cache \(up to 8GB\).* can grow after start-up and push it 5\.\d+GB over/);
    expect(exitCode).toBe(0);
  });

  test.each([
    ['an absolute budget', ['--memory-budget', '10Gi'], '10GB (as given by --memory-budget)'],
    ['the whole memory', ['--memory-fraction', '0.5'], '12.6GB (32GB system × 0.5 fraction − 3.4GB in use)'],
  ])('names %s', async (_name, args, budget) => {
    const { stderr } = await check('qwen-coder-32b', ...MAC(32), ...args);
    expect(stderr).toContain(`  Available budget: ${budget}\n`);
  });

  test.each([
    ['LLMKUBE_MEMORY_BUDGET', '10Gi', '10GB (as given by LLMKUBE_MEMORY_BUDGET)'],
    [
      'LLMKUBE_MEMORY_FRACTION',
      '0.5',
      '12.6GB (32GB system × 0.5 fraction − 3.4GB in use, by LLMKUBE_MEMORY_FRACTION)',
    ],
  ])('names %s where that says how much may be used, and JSON has the figures alone', async (name, value, budget) => {
    const words = ['check-memory', 'qwen-coder-32b', ...MAC(32)];
    const { stderr } = await runCli(words, { [name]: value });
    expect(stderr).toContain(`  Available budget: ${budget}\n`);
    const { stdout } = await runCli([...words, '--json'], { [name]: value });
    expect((JSON.parse(stdout) as { budget: object }).budget).not.toHaveProperty('from');
  });

  test('names the limit of the GPU when that refuses', async () => {
    const { stderr, exitCode } = await check('qwen-coder-32b', ...MAC(24, '0'), '--memory-fraction', '1');
    // 24 GB would do; Metal wires 16 GB of them
    expect(stderr).toMatch(/Estimated requirement: ~21GB on the GPU\n {2}Available budget: 16GB \(Metal's limit/);
    expect(exitCode).toBe(1);
  });

  test('holds a discrete GPU and the host apart', async () => {
    const args = ['--accelerator', 'cuda', '--gpu-memory', '16Gi', '--system-memory', '64Gi', '--offline'];
    const { json, exitCode } = await checkJson('qwen-coder-32b', ...args);
    expect(json).toMatchObject({
      verdict: 'does-not-fit',
      limits: [
        { name: 'gpu', budget: { kind: 'gpu-memory' } },
        { name: 'memory', budget: { kind: 'fraction' } },
      ],
      error: { code: 'INSUFFICIENT_MEMORY' },
    });
    expect(exitCode).toBe(1);
  });

  test.each([
    ['fits', MAC(64), 0],
    ['does-not-fit', MAC(32), 1],
    ['unknown', ['--accelerator', 'cuda', '--system-memory', '32Gi', '--offline'], 3],
  ])('with --json says %s, with the same exit code', async (verdict, args, code) => {
    const { json, exitCode } = await checkJson('qwen-coder-32b', ...args);
    expect(json.verdict).toBe(verdict);
    expect(exitCode).toBe(code);
    expect('error' in json).toBe(code !== 0);
    expect(json.model).toMatchObject({ name: 'qwen-coder-32b', id: 'qwen-2.5-coder-32b', quantization: 'Q4_K_M' });
    expect(json.source).toMatchObject({ header: 'bundled', derived: true });
    expect((await check('qwen-coder-32b', ...args)).exitCode).toBe(code);
  });

  test('understands llama-server’s own options, which win over the flags', async () => {
    const args = [...MAC(64), '-c', '4096', '--extra-args', '-c 16384 -ctk q8_0', '--extra-args', '-ctv q8_0'];
    const { json } = await checkJson('qwen-coder-32b', ...args);
    expect(json.launch).toMatchObject({ nCtx: 16384, cacheTypeK: 'q8_0', cacheTypeV: 'q8_0' });
  });

  test.each([[['--extra-args', '--no-mmap']], [['--extra-args=--no-mmap']]])(
    'takes %j, a flag of its own',
    async (args) => {
      // From v0.5.0 on it is spelled --load-mode none.
      const { json } = await checkJson('qwen-coder-32b', ...MAC(64), '--llama-cpp', 'b10472', ...args);
      const { parts } = json.estimate as { parts: { name: string }[] };
      expect(parts.map(({ name }) => name)).toContain('weights-copy');
    },
  );

  test('takes the context as --context too', async () => {
    const { json } = await checkJson('qwen-coder-32b', ...MAC(64), '--context', '2048');
    expect(json.launch).toMatchObject({ nCtx: 2048 });
  });

  test('takes flags from the environment', async () => {
    const env = {
      LLMKUBE_ACCELERATOR: 'metal',
      LLMKUBE_SYSTEM_MEMORY: '64Gi',
      LLMKUBE_IN_USE: '0',
      LLMKUBE_OFFLINE: 'true',
      LLMKUBE_KV_UNIFIED: 'false',
      LLMKUBE_PARALLEL: '2',
      LLMKUBE_EXTRA_ARGS: '-c 16384 -ctk q8_0',
    };
    const { stdout, exitCode } = await runCli(['check-memory', 'llama-3.1-8b', '--json'], env);
    expect(JSON.parse(stdout)).toMatchObject({
      launch: { accelerator: 'metal', nCtx: 16384, nCtxSeq: 8192, kvUnified: false, slots: 2, cacheTypeK: 'q8_0' },
    });
    expect(exitCode).toBe(0);
  });

  test('only warns when it is told to', async () => {
    const { stderr, exitCode } = await check('qwen-coder-32b', ...MAC(32), '--memory-check', 'warn');
    expect(stderr).toContain('insufficient memory');
    expect(exitCode).toBe(0);
  });

  test('measures this machine when nothing else is said', async () => {
    const { json } = await checkJson('lfm2-1.2b', '--accelerator', 'cpu', '--offline');
    expect(json.budget).toMatchObject({ kind: 'fraction', totalBytes: expect.any(Number) });
  });

  test('colours nothing that is not a terminal', async () => {
    const { stdout } = await check('qwen-coder-32b', ...MAC(64));
    expect(stdout).not.toContain('\u001b');
  });

  test('tells a missing file from a broken call', async () => {
    const missing = await check('/nowhere/model.gguf', ...MAC(32));
    expect(missing.stderr).toContain('Reason: cannot read /nowhere/model.gguf: there is no such file');
    expect(missing.exitCode).toBe(3);
  });
});

describe('a broken call', () => {
  test.each([
    ['an unknown model', ['qwen-coder-33b'], 'UNKNOWN_MODEL'],
    ['an unknown flag', ['qwen-coder-32b', '--nonsense'], 'USAGE'],
    ['a missing model', [], 'USAGE'],
    ['a fraction above 1', ['qwen-coder-32b', '--memory-fraction', '1.5'], 'INVALID_FRACTION'],
    ['layers that are none', ['qwen-coder-32b', '--gpu-layers', 'most'], 'INVALID_GPU_LAYERS'],
    ['an amount that is none', ['qwen-coder-32b', '--in-use', 'much'], 'INVALID_QUANTITY'],
    ['a bad option for llama-server', ['qwen-coder-32b', '--extra-args', '-c many'], 'INVALID_SERVER_OPTION'],
    ['a catalogue that is not there', ['qwen-coder-32b', '--catalog', '/nowhere.yaml'], 'CATALOG_UNREADABLE'],
    ['a source of another kind', ['ftp://host/model.gguf'], 'BAD_SOURCE'],
    ['a name as Ollama writes them', ['llama3.1:8b'], 'BAD_SOURCE'],
    ['a quantization that nobody has', ['qwen-coder-32b', '-q', 'Q9_K'], 'UNKNOWN_QUANTIZATION'],
    ['a quantization without a name', ['qwen-coder-32b', '-q', ''], 'UNKNOWN_QUANTIZATION'],
    ['a file that is not beside the model', ['qwen-coder-32b', '--file', '../x.gguf'], 'BAD_SOURCE'],
  ])('with %s exits with 2, in words and in JSON', async (_name, args, code) => {
    const text = await check(...args, '--offline');
    expect(text.stderr).toMatch(/^Error: /);
    expect(text.stderr).not.toContain('    at ');
    expect(text.stdout).toBe('');
    expect(text.exitCode).toBe(2);
    const json = await check(...args, '--offline', '--json');
    expect(JSON.parse(json.stdout)).toEqual({
      error: { code, message: expect.any(String), suggestions: expect.any(Array) },
    });
    expect(json.stderr).toBe('');
    expect(json.exitCode).toBe(2);
  });
});
