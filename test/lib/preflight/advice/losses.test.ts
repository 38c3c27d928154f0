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
});
