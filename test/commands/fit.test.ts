import { describe, expect, test } from '@jest/globals';
import { askCli } from '../support/cli-session.js';
import { splitWords } from '../../src/lib/runtime/server-arguments.js';

const mac = (gigabytes: number): string[] => ['--accelerator', 'metal', '--system-memory', `${gigabytes}Gi`];
const CARD = ['--accelerator', 'cuda', '--gpu-memory', '12Gi', '--system-memory', '32Gi'];

interface Fitted {
  readonly command: string;
  readonly quantization: string;
  readonly launch: { readonly nCtx: number };
  readonly missedContext: number | null;
  readonly requirementBytes: number;
  readonly verdict: string;
}

async function fit(...args: string[]): Promise<Fitted> {
  const { stdout } = await askCli(['fit', ...args, '--offline', '--json']);
  return JSON.parse(stdout) as Fitted;
}

/** What check-memory says of a printed deploy. */
async function checked({ command }: Fitted) {
  const [, deploy, ...words] = splitWords(command);
  expect(deploy).toBe('deploy');
  const { stdout } = await askCli(['check-memory', ...words, '--offline', '--json']);
  return JSON.parse(stdout) as Pick<Fitted, 'requirementBytes' | 'verdict'> & { launch: { nCtx: number } };
}

describe('fit', () => {
  // Gemma 3 keeps states of 512 tokens to go back to, which grow beside the prompt cache.
  test.each([
    ['gemma-3-12b', mac(16)],
    ['gemma-3-4b', mac(8)],
    ['llama-3.1-8b', mac(16)],
    ['gemma-3-12b', CARD],
    // llama-server would keep layers on the host by a margin of its own.
    ['llama-3.2-3b', [...CARD, '--gpu-layers', 'auto', '-c', '64k']],
  ])('prints a launch of %s on %j that is judged as it says', async (model, machine) => {
    const fitted = await fit(model, ...machine);
    expect(fitted.verdict).toBe('fits');
    expect(await checked(fitted)).toMatchObject({
      verdict: 'fits',
      requirementBytes: fitted.requirementBytes,
      launch: { nCtx: fitted.launch.nCtx },
    });
  });

  test('says that there is less context than was asked for, and misses it by as little as it can', async () => {
    const asked = await fit('llama-3.1-8b', '-c', '128k', ...mac(16));
    expect(asked.missedContext).toBe(131072);
    const longest = await fit('llama-3.1-8b', '--prefer', 'context', ...mac(16));
    expect(asked.launch.nCtx).toBe(longest.launch.nCtx);
    expect(longest.missedContext).toBeNull();
    const { stdout } = await askCli(['fit', 'llama-3.1-8b', '-c', '128k', ...mac(16), '--offline']);
    expect(stdout.replace(/\s+/g, ' ')).toContain(', less than the 131072 asked for');
  });

  // What --prefer quality reaches with fewer bits a weight, and with layers on the host.
  test.each([
    ['gemma-3-27b', [...mac(32), '--in-use', '4Gi', '-c', '32768']],
    ['gemma-3-27b', [...CARD, '-c', '32768']],
  ])('never has less context of %s on %j where context is preferred', async (model, words) => {
    const [quality, context] = await Promise.all([fit(model, ...words), fit(model, ...words, '--prefer', 'context')]);
    expect([quality.missedContext, context.missedContext]).toEqual([null, null]);
    expect(context.launch.nCtx).toBeGreaterThanOrEqual(quality.launch.nCtx);
  });

  test('says that there is less than was asked for where the model was trained with no more', async () => {
    expect(await fit('phi-4', '-c', '32k', ...mac(64))).toMatchObject({
      launch: { nCtx: 16384 },
      missedContext: 32768,
    });
  });
});

test('layers and experts that several GPUs do not hold are said of the GPUs', async () => {
  const cards = ['--accelerator', 'cuda', '--gpu-memory', '12Gi,8Gi', '--system-memory', '64Gi', '--offline'];
  const { stdout } = await askCli(['fit', 'llama-3.3-70b', ...cards, '--quantization', 'Q4_K_M']);
  expect(stdout).toMatch(/^layers +\d+ of 81 on 2 GPUs, for they do not hold more$/m);
});

describe('experts that leave the GPU', () => {
  const small = ['--accelerator', 'cuda', '--gpu-memory', '12Gi', '--system-memory', '64Gi', '--offline', '--json'];
  const launchOf = async (...args: string[]) => {
    const { stdout } = await askCli(['fit', 'qwen-3-30b-a3b', ...small, ...args]);
    const { command, launch } = JSON.parse(stdout) as { command: string; launch: { nCtx: number } };
    return { layers: Number(/--n-cpu-moe (\d+)/.exec(command)?.[1]), contextSize: launch.nCtx };
  };

  test('are a few more, where that leaves room for a long conversation', async () => {
    const [open, asked] = await Promise.all([launchOf(), launchOf('--ctx-size', '8192')]);
    expect(open.contextSize).toBeGreaterThanOrEqual(32_768);
    expect(open.layers).toBeGreaterThan(asked.layers);
    expect(open.layers).toBeLessThanOrEqual(asked.layers * 1.5);
  });

  test('are no more than the context that was asked for takes', async () => {
    const { contextSize } = await launchOf('--ctx-size', '8192');
    expect(contextSize).toBeGreaterThanOrEqual(8192);
    expect(contextSize).toBeLessThan(32_768);
  });
});
