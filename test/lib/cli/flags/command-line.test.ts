import { describe, expect, test } from '@jest/globals';
import { readCommandLine } from '../../../../src/lib/cli/flags/command-line.js';
import { refuseContradictions } from '../../../../src/lib/cli/flags/contradictions.js';

const FLAGS = {
  'ctx-size': { type: 'option', char: 'c', aliases: ['context'], env: 'LLMKUBE_CTX_SIZE' },
  'gpu-layers': { type: 'option', env: 'LLMKUBE_GPU_LAYERS' },
  parallel: { type: 'option' },
  'cache-type-k': { type: 'option' },
  'cache-ram': { type: 'option' },
  'flash-attn': { type: 'boolean', allowNo: true },
  'kv-offload': { type: 'boolean', allowNo: true },
  mmap: { type: 'boolean', allowNo: true, env: 'LLMKUBE_MMAP' },
  offline: { type: 'boolean', env: 'LLMKUBE_OFFLINE' },
  wait: { type: 'boolean', allowNo: true, char: 'w' },
  source: { type: 'option', env: 'LLMKUBE_SOURCE' },
  'source-override': { type: 'option', exclusive: ['source'] },
  'extra-args': { type: 'option', multiple: true, env: 'LLMKUBE_EXTRA_ARGS' },
  quantization: { type: 'option', char: 'q' },
  file: { type: 'option', env: 'LLMKUBE_FILE', exclusive: ['quantization'] },
  'dry-run': { type: 'option', options: ['client', 'server'] },
  json: { type: 'boolean' },
};
const read = (line: string, env: Record<string, string> = {}) =>
  readCommandLine(line === '' ? [] : line.split(' '), FLAGS, env).words.join(' ');

describe('a command line', () => {
  test.each([
    ['m -c 4096', 'm --ctx-size 4096'],
    ['--ctx-size=4096 m', 'm --ctx-size 4096'],
    ['m -c4096', 'm --ctx-size 4096'],
    ['m -c=4096', 'm --ctx-size 4096'],
    ['m --context 4096', 'm --ctx-size 4096'],
    ['m --cache-ram -1', 'm --cache-ram -1'],
    ['m --wait=false', 'm --no-wait'],
    ['m -w=0', 'm --no-wait'],
    ['m --wait=true', 'm --wait'],
    ['m --offline=false', 'm'],
    ['m --offline=yes', 'm --offline'],
    ['m -w on', 'm on --wait'],
    ['m --json -- --wait=false -c', 'm --json -- --wait=false -c'],
    ['- -1', '- -1'],
  ])('%s is read as %s', (line, words) => {
    expect(read(line)).toBe(words);
  });

  test.each([
    ['-ngl 40', '--gpu-layers 40'],
    ['--n-gpu-layers 40', '--gpu-layers 40'],
    ['-np 2 -ctk q8_0', '--parallel 2 --cache-type-k q8_0'],
    ['-cram 0', '--cache-ram 0'],
    ['-nkvo', '--no-kv-offload'],
    ['--ctx_size 1', '--ctx-size 1'],
    ['-fa', '--flash-attn'],
    ['-fa on', '--flash-attn'],
    ['-fa off', '--no-flash-attn'],
    ['--flash-attn=0', '--no-flash-attn'],
    ['-fa on -fa auto', ''],
  ])('understands llama-server’s %s', (line, words) => {
    expect(read(line)).toBe(words);
  });

  test.each([
    ['-c 1 --ctx-size 2 --context=3', '--ctx-size 3'],
    ['--mmap --no-mmap', '--no-mmap'],
    ['--no-mmap --mmap', '--mmap'],
    ['-nkvo --kv-offload', '--kv-offload'],
    ['-q Q4_K_M --file a.gguf', '--file a.gguf'],
    ['--file a.gguf -q Q4_K_M', '--quantization Q4_K_M'],
  ])('takes the last of %s', (line, words) => {
    expect(read(line)).toBe(words);
  });

  test('keeps every --extra-args, whatever their words look like', () => {
    const { words } = readCommandLine(['--extra-args', '--no-mmap', '--extra-args=-c 1', 'm'], FLAGS, {});
    expect(words).toEqual(['m', '--extra-args', ' --no-mmap', '--extra-args', ' -c 1']);
  });

  test.each([
    ['--ctx-sze 1', 'there is no flag --ctx-sze', 'did you mean --ctx-size?'],
    ['-x', 'there is no flag -x', 'see the same command with --help'],
    ['--n-cpu-moe 4', "--n-cpu-moe is an option of llama-server's", 'give it as --extra-args "--n-cpu-moe 4"'],
    [
      '--jinja -c 4096 -t 8 --alias $x --host 0.0.0.0',
      "--jinja is an option of llama-server's",
      `give them as --extra-args '--jinja -t 8 --alias '\\''$x'\\'' --host 0.0.0.0'`,
    ],
    ['--mlock --port', "--mlock is an option of llama-server's", 'give them as --extra-args "--mlock --port …"'],
    ['--ctx-size', '--ctx-size expects a value', undefined],
    ['-c --json', '-c expects a value', undefined],
    ['--dry-run --json', '--dry-run expects one of client, server', undefined],
    ['--mmap=maybe', '--mmap is on or off, not "maybe"', undefined],
  ])('%s is refused in one sentence', (line, message, suggestion) => {
    const reading = () => read(line);
    expect(reading).toThrow(message);
    if (suggestion === undefined) return;
    expect(reading).toThrow(expect.objectContaining({ options: { suggestions: [suggestion] } }) as unknown as Error);
  });
});

describe('a flag’s environment variable', () => {
  test.each(['1', 'true', 'on', 'ON', 'yes', 'enabled'])('set to %s turns a switch on', (word) => {
    expect(read('m', { LLMKUBE_MMAP: word, LLMKUBE_OFFLINE: word })).toBe('m --mmap --offline');
  });

  test.each(['0', 'false', 'off', 'No', 'disabled'])('set to %s turns it off', (word) => {
    expect(read('m', { LLMKUBE_MMAP: word, LLMKUBE_OFFLINE: word })).toBe('m --no-mmap');
  });

  test('with another word is refused by its own name', () => {
    expect(() => read('m', { LLMKUBE_OFFLINE: 'perhaps' })).toThrow('LLMKUBE_OFFLINE is on or off, not "perhaps"');
  });

  test('counts where the flag is not typed, nor one that excludes it', () => {
    const env = { LLMKUBE_CTX_SIZE: '1024', LLMKUBE_SOURCE: 's', LLMKUBE_GPU_LAYERS: '' };
    expect(read('m', env)).toBe('m --ctx-size 1024 --source s');
    expect(read('m -c 1 --source-override o', env)).toBe('m --ctx-size 1 --source-override o');
  });
});

describe('flags that say nothing beside others', () => {
  const refuse = (values: Record<string, unknown>, variables: Record<string, string> = {}) =>
    refuseContradictions(values, new Map(Object.entries(variables)));

  test.each([
    [{ accelerator: 'cpu', 'gpu-memory': 1 }, '--gpu-memory needs a GPU'],
    [{ accelerator: 'metal', 'gpu-memory': 1 }, '--gpu-wired-limit'],
    [{ accelerator: 'metal', gpus: 2 }, '--gpus is for machines with several GPUs; a Mac has one'],
    [{ accelerator: 'cpu', gpus: 1 }, '--gpus needs GPUs'],
    [{ accelerator: 'cpu', 'gpu-layers': 20 }, '--gpu-layers needs a GPU'],
    [{ accelerator: 'cuda', 'gpu-wired-limit': 1 }, 'needs --accelerator metal'],
    [{ accelerator: 'cuda', 'memory-budget': 1, 'memory-fraction': 0.5 }, 'are two budgets'],
  ])('%j are refused', async (values, message) => {
    await expect(refuse(values)).rejects.toThrow(message);
  });

  test.each([
    [{ accelerator: 'cuda', 'gpu-memory': 1, 'gpu-layers': 20 }],
    [{ accelerator: 'metal', 'gpu-wired-limit': 1, 'memory-fraction': 0.5 }],
    [{ accelerator: 'cpu', 'gpu-layers': 0 }],
    [{ gpu: true, 'gpu-memory': 1 }],
  ])('%j are not', async (values) => {
    await expect(refuse(values)).resolves.toBeUndefined();
  });

  test('a variable gives way instead', async () => {
    await expect(
      refuse({ accelerator: 'cpu', 'gpu-memory': 1 }, { 'gpu-memory': 'LLMKUBE_GPU_MEMORY' }),
    ).resolves.toBeUndefined();
  });
});
