import { expect, test } from '@jest/globals';
import type { EstimatePart } from '../../../../src/lib/estimate/memory-estimate.js';
import type { MemoryCheck } from '../../../../src/lib/preflight/memory-check.js';
import type { LimitCheck } from '../../../../src/lib/preflight/judge/verdict.js';
import { failureOf, failureText } from '../../../../src/lib/report/words/failure-text.js';

const GIB = 2 ** 30;

/** Refused where more is in use already than may be. */
const limit: LimitCheck = {
  name: 'memory',
  requiredBytes: 5 * GIB,
  budget: { kind: 'fraction', bytes: -GIB, totalBytes: 8 * GIB, fraction: 0.5, inUseBytes: 5 * GIB },
};
const check = {
  model: 'some-model',
  source: 'hf:owner/repo',
  suggestions: [],
  verdict: { kind: 'does-not-fit', limits: [limit], warnings: [] },
} as unknown as MemoryCheck;

test('a budget that others have used up is nothing, not less', () => {
  expect(failureText(check)).toMatch(/^ {2}Available budget: 0[GM]B \(8GB system × 0\.5 fraction − 5GB in use\)$/m);
  expect(failureOf(check)?.message).toMatch(/it needs ~?5GB, the budget is 0[GM]B /);
});

const part = (of: EstimatePart['of'], device: EstimatePart['device'], gib: number, more: Partial<EstimatePart> = {}) =>
  ({ name: 'weights', of, device, bytes: gib * GIB, accuracy: 'exact', ...more }) as EstimatePart;

function refused(accelerator: string, parts: readonly EstimatePart[], limits: readonly LimitCheck[]): string {
  const estimate = { parts, growth: [], notes: [], resolved: { llamaCpp: 'v0.5.0' } };
  return failureText({
    ...check,
    launch: { accelerator },
    estimate,
    suggestions: ['a', 'b', 'c'],
    verdict: { kind: 'does-not-fit', limits, warnings: [], estimate },
  } as unknown as MemoryCheck);
}

test('what is loaded beside the model is said as far as it lies under the limit that refuses', () => {
  const parts = [
    ...[part('model', 'gpu', 20), part('projector', 'gpu', 1), part('projector', 'gpu', 0.5), part('draft', 'gpu', 2)],
    ...[part('adapter', 'host', 3), part('mtp', 'gpu', 0)],
  ];
  const budget = { kind: 'gpu-memory', bytes: 22 * GIB, totalBytes: 22 * GIB, inUseBytes: 0 } as const;
  const gpu: LimitCheck = { name: 'gpu', requiredBytes: 23.5 * GIB, budget };
  const memory: LimitCheck = { ...limit, hostOnly: true, requiredBytes: 3 * GIB };
  expect(refused('cuda', parts, [gpu, memory])).toBe(
    [
      'Error: insufficient memory for some-model',
      '  Estimated requirement: ~24GB on the GPU',
      '  Available budget: 22GB (GPU memory)',
      '  Suggestion: a, b, or c',
      '  Of the requirement: 1.5GB for the projector, 2GB for the draft',
      '  Calculated for: llama.cpp v0.5.0',
    ].join('\n'),
  );
});

test('of several GPUs each memory is said', () => {
  const budget = { kind: 'gpu-memory', bytes: 12 * GIB, totalBytes: 12 * GIB, inUseBytes: 0 } as const;
  const gpus = [14, 11].map((gib, gpu): LimitCheck => ({ name: 'gpu', gpu, requiredBytes: gib * GIB, budget }));
  const memory: LimitCheck = {
    ...limit,
    hostOnly: true,
    requiredBytes: GIB,
    budget: { kind: 'absolute', bytes: 4 * GIB },
  };
  const text = refused('cuda', [part('model', 'gpu', 14, { gpu: 0 })], [...gpus, memory]);
  expect(text).toContain('  Estimated requirement: ~14GB on GPU 0\n');
  expect(text).toContain('\n  Of each memory: 14GB of 12GB on GPU 0, 11GB of 12GB on GPU 1, 1GB of 4GB on the host\n');
});

test('what could not be checked says what is needed in all, and how much of it on GPUs of their own', () => {
  const unknown = (accelerator: string, parts: readonly EstimatePart[]): string =>
    failureText(
      {
        ...check,
        launch: { accelerator },
        estimate: { parts, growth: [], notes: [], resolved: { llamaCpp: 'v0.5.0' } },
        suggestions: ['do this'],
        verdict: { kind: 'unknown', code: 'X', reason: 'something' },
      } as unknown as MemoryCheck,
      'Warning',
    );
  const parts = [part('model', 'gpu', 20), part('model', 'host', 3)];
  expect(unknown('cuda', parts)).toBe(
    [
      'Warning: cannot check the memory for some-model',
      '  Reason: something',
      '  Estimated requirement: ~23GB in all, 20GB of it on the GPU',
      '  Suggestion: do this',
      '  Calculated for: llama.cpp v0.5.0',
    ].join('\n'),
  );
  expect(unknown('metal', parts)).toContain('  Estimated requirement: ~23GB\n');
  expect(unknown('cuda', parts.slice(1))).toContain('  Estimated requirement: ~3GB\n');
});
