import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config } from '@oclif/core';
import { parseQuantity } from '../../../../src/lib/budget/quantity.js';
import { adviceSources, checkDependencies } from '../../../../src/lib/cli/check-command.js';
import { checkMemory } from '../../../../src/lib/preflight/check-memory.js';
import type { CheckRequest } from '../../../../src/lib/preflight/plan-check.js';
import type { MemoryCheck } from '../../../../src/lib/preflight/memory-check.js';
import { entryChecker } from '../../../../src/lib/preflight/catalog/check-catalog.js';
import { findFit } from '../../../../src/lib/preflight/fit/find-fit.js';
import { temporaryFolder } from '../../../support/sparse-file.js';
import { isComplete } from '../../../../src/lib/preflight/memory-check.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const surroundings = () => ({
  config: { cacheDir: `${folder.path}/cache` } as Config,
  catalog: undefined,
  offline: true,
  quiet: true,
});

function request(model: string, gigabytes: number, words: readonly string[] = []): CheckRequest {
  const valueOf = (flag: string): string | undefined =>
    words.includes(flag) ? words[words.indexOf(flag) + 1] : undefined;
  const amount = (flag: string, otherwise: number): number => parseQuantity(valueOf(flag) ?? `${otherwise}Gi`, flag);
  const ours = ['--quantization', '--memory-fraction', '--in-use', '--system-memory'];
  const fraction = valueOf('--memory-fraction');
  return {
    model,
    quantization: valueOf('--quantization'),
    accelerator: 'metal',
    launch: {},
    extraArgs: [
      words.filter((word, index) => !ours.includes(word) && !ours.includes(words[index - 1] ?? '')).join(' '),
    ],
    machine: { systemMemoryBytes: amount('--system-memory', gigabytes), inUseBytes: amount('--in-use', 3) },
    policy: fraction === undefined ? {} : { fraction: Number(fraction) },
  };
}

const check = (...args: Parameters<typeof request>): Promise<MemoryCheck> =>
  checkMemory(request(...args), checkDependencies(surroundings()));

describe('the advice on a refusal', () => {
  test.each([
    ['qwen-coder-32b', 32],
    ['llama-3.1-8b', 24],
    ['gemma-3-27b', 32],
  ])('of %s on %i GB is accepted by a new check, with the figures that it gave', async (model, gigabytes) => {
    const { verdict, advice = [] } = await check(model, gigabytes);
    expect(verdict.kind).toBe('does-not-fit');
    const typed = advice.filter(({ runFirst }) => runFirst === undefined);
    expect(typed.length).toBeGreaterThan(1);
    for (const { flags, verdict: promised } of typed) {
      const again = await check(
        model,
        gigabytes,
        flags.flatMap((flag) => flag.split(' ')),
      );
      expect(again.verdict.kind).toBe(promised.kind);
      expect(again.estimate).toEqual(promised.estimate);
    }
  });

  test('is the smallest Mac where no change of the launch helps', async () => {
    const { advice = [] } = await check('llama-3.3-70b', 8);
    expect(advice.map(({ changes }) => changes.map(({ kind }) => kind))).toEqual([['machine']]);
    const [change] = advice[0]?.changes ?? [];
    const gigabytes = change?.kind === 'machine' ? change.gigabytes : 0;
    expect((await check('llama-3.3-70b', gigabytes)).verdict.kind).not.toBe('does-not-fit');
  });

  test('is not given for what fits', async () => {
    expect((await check('llama-3.2-3b', 32)).advice).toBeUndefined();
  });
});

describe('the best launch', () => {
  test.each(['quality', 'context'] as const)('by %s fits with something to spare', async (prefer) => {
    const dependencies = checkDependencies(surroundings());
    const refused = await check('qwen-coder-32b', 32);
    if (!isComplete(refused)) throw new Error(refused.verdict.reason);
    const fitted = await findFit(refused, prefer, {}, adviceSources(surroundings(), dependencies.readHeader));
    expect(fitted?.verdict.kind).toMatch(/^(fits|tight)$/);
    expect(fitted?.shape.fileBytes).toBeLessThan(refused.shape.fileBytes);
  });
});

test('a catalogue is held against one machine, entry by entry as a check of it', async () => {
  const { loadCatalog, readHeader, measureHost } = checkDependencies(surroundings());
  const catalog = (await loadCatalog()).filter(({ id }) =>
    ['gemma-3-4b', 'gpt-oss-120b', 'llama-3.3-70b'].includes(id),
  );
  const checkEntry = entryChecker(catalog, request('', 32), { measureHost });
  const checks = await Promise.all(catalog.map((entry) => checkEntry(entry, readHeader)));
  expect(checks.map(({ model, verdict }) => [model, verdict.kind])).toEqual([
    ['gemma-3-4b', 'fits'],
    ['llama-3.3-70b', 'does-not-fit'],
    ['gpt-oss-120b', 'unknown'],
  ]);
  expect(checks[0]?.estimate).toEqual((await check('gemma-3-4b', 32)).estimate);
});
