import { describe, expect, test } from '@jest/globals';
import { attemptOf, draftModelKey, fingerprintOf, type Wanted } from '../../../../src/lib/agent/core/wanted.js';
import { aModel, aService } from '../objects.js';

const SPECULATIVE = { type: 'draft', draftModelRef: 'small' };
const ofModel = (spec: object) => ({ ...aModel(), spec: { ...aModel().spec, ...spec } });
const named = (annotation: string) => aService({}, { [`inference.llmkube.dev/${annotation}`]: '1' });
const plain: Wanted = { service: aService(), model: aModel() };

describe('another process is needed', () => {
  test.each<[string, Wanted]>([
    [
      'another service of the same name',
      { ...plain, service: { ...aService(), metadata: { ...aService().metadata, uid: 'u2' } } },
    ],
    ['another option', { ...plain, service: aService({ contextSize: 4096 }) }],
    ['another file', { ...plain, model: ofModel({ source: '/models/other.gguf' }) }],
    ['other parts', { ...plain, model: ofModel({ files: ['a-00001-of-00002.gguf'] }) }],
    ['a projector', { ...plain, model: ofModel({ mmproj: 'p.gguf' }) }],
    ['another digest', { ...plain, model: ofModel({ sha256: 'ab' }) }],
    ['a key', { ...plain, service: aService({ env: [{ name: 'LLAMA_API_KEY', value: 's' }] }) }],
    [
      'an option by a variable',
      { ...plain, service: aService({ env: [{ name: 'LLAMA_ARG_CTX_SIZE', value: '512' }] }) },
    ],
    ['a draft', { ...plain, service: aService({ speculativeDecoding: SPECULATIVE }) }],
  ])('for %s', (_what, wanted) => {
    expect(fingerprintOf(wanted)).not.toBe(fingerprintOf(plain));
  });

  test.each<[string, Wanted]>([
    ['a variable that is not passed on', { ...plain, service: aService({ env: [{ name: 'HOME', value: '/' }] }) }],
    [
      'how much memory it may use',
      { ...plain, service: named('memory-budget'), model: aModel({ memoryBudget: '8Gi' }) },
    ],
    ['replicas', { ...plain, service: aService({ replicas: 1 }) }],
  ])('not for %s', (_what, wanted) => {
    expect(fingerprintOf(wanted)).toBe(fingerprintOf(plain));
  });

  test('for another file, part or digest of the draft', () => {
    const service = aService({ speculativeDecoding: SPECULATIVE });
    const drafts = [{}, { source: '/d.gguf' }, { files: ['d.gguf'] }, { sha256: 'ab' }].map(ofModel);
    const all = drafts.map((draft) => fingerprintOf({ ...plain, service, draft }));
    expect(new Set(all).size).toBe(4);
    // Without one asked for, what stands there says nothing.
    expect(fingerprintOf({ ...plain, draft: aModel() })).toBe(fingerprintOf(plain));
  });
});

test('a start is tried anew where the memory that it may use is said otherwise', () => {
  const others: readonly Wanted[] = [
    ...['memory-budget', 'memory-fraction', 'memory-check', 'agent'].map((name) => ({
      ...plain,
      service: named(name),
    })),
    { ...plain, model: aModel({ memoryBudget: '8Gi' }) },
    { ...plain, model: aModel({ memoryFraction: 0.5 }) },
  ];
  expect(new Set([plain, ...others].map(attemptOf)).size).toBe(7);
});

test('no Model drafts where drafting is turned off', () => {
  const key = (type: string) => draftModelKey(aService({ speculativeDecoding: { ...SPECULATIVE, type } }));
  expect(['draft', 'none', 'disabled'].map(key)).toEqual(['default/small', undefined, undefined]);
});
