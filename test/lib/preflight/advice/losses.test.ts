import { describe, expect, it } from '@jest/globals';
import type { Change, ModelVariant } from '../../../../src/lib/preflight/advice/advice.js';
import { compareLosses } from '../../../../src/lib/preflight/advice/losses.js';
import { describeModel } from '../../../../src/lib/model/describe-model.js';
import { profileHeader, readProfile } from '../../../support/models/profile.js';

const SHAPE = describeModel(profileHeader(readProfile('test/oracle/profiles/llama-3.1-8b.Q4_K_M.json')));

function weights(quantization: string, gigabytes: number): Change {
  const shape = { ...SHAPE, fileBytes: gigabytes * 1e9 };
  const variant: ModelVariant = { quantization, shape, isProven: true, isEstimated: true };
  return { kind: 'quantization', variant };
}

const LOAD: Change = { kind: 'load', mmap: false };
const UBATCH: Change = { kind: 'ubatch', tokens: 128 };
const ONE_SLOT: Change = { kind: 'slots', slots: 1 };
const EXPERTS: Change = { kind: 'cpu-experts', layers: 20 };
const LAYERS: Change = { kind: 'gpu-layers', layers: 30, of: 33 };
const CACHE: Change = { kind: 'cache-type', type: 'q8_0' };
const CONTEXT: Change = { kind: 'context', tokens: 8192 };
const Q3 = weights('Q3_K_M', 4.0);
const IQ4 = weights('IQ4_XS', 4.5);

describe('what loses least stands first', () => {
  it.each<[string, readonly Change[], readonly Change[]]>([
    ['time at the start before the speed of prompts', [LOAD], [UBATCH]],
    ['the speed of prompts before requests at once', [UBATCH], [ONE_SLOT]],
    ['requests at once before the speed of every token', [ONE_SLOT], [EXPERTS]],
    ['experts on the CPU before whole layers', [EXPERTS], [LAYERS]],
    ['speed before the precision of the cache', [LAYERS], [CACHE]],
    ['all of that together before context', [LOAD, UBATCH, ONE_SLOT, LAYERS, CACHE], [CONTEXT]],
    ['context before the precision of the weights', [CONTEXT], [IQ4]],
    ['more precise weights with a compact cache before less precise ones', [IQ4, CACHE], [Q3]],
    ['more context before less', [{ ...CONTEXT, tokens: 16384 }, CACHE], [CONTEXT]],
    ['more layers on the GPU before fewer', [{ ...LAYERS, layers: 31 }], [LAYERS]],
    ['the same weights before the same with something more', [IQ4], [IQ4, ONE_SLOT]],
    ['of what more is lost beside them, too', [IQ4, ONE_SLOT], [IQ4, CACHE]],
  ])('%s', (_, less, more) => {
    expect(compareLosses(less, more)).toBeLessThan(0);
    expect(compareLosses(more, less)).toBeGreaterThan(0);
    expect(compareLosses(more, [...more].reverse())).toBe(0);
  });

  const draft = weights('Q4_K_M', 1) as Extract<Change, { kind: 'quantization' }>;
  const ORDER: readonly Change[] = [
    { kind: 'tensor-split', shares: [2, 1] },
    { kind: 'cpu-experts', layers: 20, isFewer: true },
    LOAD,
    { kind: 'projector', isNamed: false },
    { kind: 'draft-tokens', tokens: 2 },
    { kind: 'draft-cache-type', type: 'q8_0' },
    { kind: 'draft-quantization', variant: draft.variant },
    { kind: 'projector-on-cpu' },
    UBATCH,
    { kind: 'draft-on-cpu' },
    { kind: 'no-draft' },
    ONE_SLOT,
    EXPERTS,
    LAYERS,
    CACHE,
    CONTEXT,
    Q3,
    { kind: 'projector', isNamed: true },
  ] as readonly Change[];

  it('from what takes nothing away, or time at the start, to a projector that was asked for', () => {
    // The first two lose nothing.
    const [first, second, third] = ORDER as [Change, Change, Change];
    expect([compareLosses([first], [third]) < 0, compareLosses([second], [third]) < 0]).toEqual([true, true]);
    const rising = ORDER.slice(1);
    for (const [at, change] of rising.slice(1).entries()) {
      const before = rising[at] as Change;
      expect([before.kind, change.kind, compareLosses([before], [change]) < 0]).toEqual([
        before.kind,
        change.kind,
        true,
      ]);
    }
  });

  it('and of one kind, what changes less', () => {
    const both: Change = { kind: 'load', mmap: false, repack: false };
    const pairs: readonly (readonly [Change, Change])[] = [
      [LOAD, both],
      [{ kind: 'load', repack: false }, both],
      [UBATCH, { ...UBATCH, tokens: 64 }],
      [{ kind: 'cpu-experts', layers: 19 }, EXPERTS],
      [
        { kind: 'draft-tokens', tokens: 2 },
        { kind: 'draft-tokens', tokens: 1 },
      ],
    ];
    for (const [less, more] of pairs) expect(compareLosses([less], [more])).toBeLessThan(0);
    expect(compareLosses([LOAD], [{ kind: 'load', repack: false }])).toBe(0);
  });
});
