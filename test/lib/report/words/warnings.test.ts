import { describe, expect, test } from '@jest/globals';
import type { GrowthPart } from '../../../../src/lib/estimate/memory-estimate.js';
import type { MemoryCheck } from '../../../../src/lib/preflight/memory-check.js';
import type { LimitCheck } from '../../../../src/lib/preflight/judge/verdict.js';
import { warningsOf } from '../../../../src/lib/report/words/warnings.js';

const GIB = 2 ** 30;

const limit = (needed: number, of: number, more: Partial<LimitCheck> = {}): LimitCheck => ({
  name: 'memory',
  requiredBytes: needed * GIB,
  budget: { kind: 'absolute', bytes: of * GIB },
  ...more,
});
const grows = (name: GrowthPart['name'], gib: number, of: GrowthPart['of'] = 'model'): GrowthPart => ({
  ...{ name, of, device: 'host', maxBytes: gib * GIB },
});
const warnings = (limits: readonly LimitCheck[], growth: readonly GrowthPart[] = [], more: Partial<MemoryCheck> = {}) =>
  warningsOf({
    verdict: { kind: 'tight', limits, warnings: ['a note'], estimate: { growth } } as unknown as MemoryCheck['verdict'],
    ...more,
  });

describe('what makes a fit tight', () => {
  test('is little room, with the share that is left, rounded down', () => {
    // 0.794 of 20 GB are 3.97 %
    expect(warnings([limit(19.206, 20)])).toEqual([
      'only 813MB (3.9 %) of the memory budget is left, less than 5 %',
      'a note',
    ]);
    expect(warnings([limit(19.5, 20, { name: 'gpu', gpu: 1 })])[0]).toContain('(2.5 %) of the GPU 1 budget');
  });

  test('is what others hold idle, and who holds most of it', () => {
    const budget: LimitCheck['budget'] = {
      kind: 'fraction',
      ...{ bytes: 16 * GIB, totalBytes: 48 * GIB, fraction: 0.75, inUseBytes: 20 * GIB, idleBytes: 10 * GIB },
    };
    const limits = [limit(8, 0, { budget })];
    const said =
      'other programs would have to give up 2GB of the 10GB that they do not use at the moment, by compression or swap';
    expect(warnings(limits)[0]).toBe(said);
    const programs = [
      { name: 'ollama', bytes: 18 * GIB },
      { name: 'Xcode', bytes: 3 * GIB },
    ];
    expect(warnings(limits, [], { programs })[0]).toBe(`${said} (most is held by: ollama 18GB, Xcode 3GB)`);
  });

  test('is what grows, each kind once, and what keeps it within', () => {
    const growth = [grows('prompt-cache', 8), grows('compute', 1, 'projector'), grows('output', 0.5, 'projector')];
    // 8 + 1.5 GB for 5 that are left; 3.5 stay for the prompt cache
    expect(warnings([limit(10, 15)], growth)).toEqual([
      'the prompt cache (up to 8GB) and what images and audio need (up to 1.5GB) can grow after start-up and push it ' +
        '4.5GB over the budget; --cache-ram 3584 keeps it within',
      'a note',
    ]);
  });

  test('is what grows without end, of which somebody has looked for a remedy, or nobody', () => {
    const growth = [grows('compute', Infinity, 'projector')];
    const said = 'what images and audio need (without limit) can grow after start-up and push it over any budget';
    const withRemedy = (remedy?: readonly string[]) =>
      warnings([limit(10, 15)], growth, remedy === undefined ? {} : { remedy })[0];
    expect(withRemedy()).toBe(said);
    expect(withRemedy([])).toBe(`${said}; only a smaller model or more memory leaves room for that`);
    expect(withRemedy(['--image-max-tokens 512'])).toBe(`${said}; --image-max-tokens 512 keeps it within`);
    expect(withRemedy(['--a 1', '--b 2'])).toBe(`${said}; --a 1 and --b 2 keep it within`);
  });
});

test('a launch that fits, or does not, has nothing but its notes', () => {
  for (const kind of ['fits', 'does-not-fit']) {
    const verdict = { kind, limits: [limit(19.5, 20)], warnings: ['a note'], estimate: { growth: [] } };
    expect(warningsOf({ verdict: verdict as unknown as MemoryCheck['verdict'] })).toEqual(['a note']);
  }
});
