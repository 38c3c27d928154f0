import { describe, expect, test } from '@jest/globals';
import { withReferences } from '../../../../src/lib/agent/core/variable-references.js';
import { fingerprintOf } from '../../../../src/lib/agent/core/wanted.js';
import { serviceEnvironment } from '../../../../src/lib/agent/service/service-environment.js';
import type { EnvVar, InferenceServiceResource, ModelResource } from '../../../../src/lib/kube/client/api.js';

const CTX = 'LLAMA_ARG_CTX_SIZE';
const fromSecret = (name: string, key: string): EnvVar => ({
  name,
  value: '',
  valueFrom: { secretKeyRef: { name: 'keys', key } },
});
const service = (...env: EnvVar[]) =>
  ({
    metadata: { name: 'one', namespace: 'default', uid: '1' },
    spec: { modelRef: 'one', endpoint: { port: 8080, path: '/', type: 'ClusterIP' }, env },
  }) as unknown as InferenceServiceResource;
const secret = { data: { key: Buffer.from('s3cret$(SIZE)').toString('base64') } };
const environment = (...env: EnvVar[]) => serviceEnvironment(service(...env), { get: async () => secret as never });

// The cases of `expand_test.go` in Kubernetes, with VAR_A = A and VAR_EMPTY empty.
test.each([
  ['$(VAR_A)', 'A'],
  ['___$(VAR_A)___$(VAR_EMPTY)_', '___A____'],
  ['$$(VAR_A)', '$(VAR_A)'],
  ['$$$(VAR_A)', '$A'],
  ['$$$$(VAR_A)', '$$(VAR_A)'],
  ['$(VAR_DNE)', '$(VAR_DNE)'],
  ['$VAR_A', '$VAR_A'],
  ['$(VAR_A', '$(VAR_A'],
  ['VAR_A)', 'VAR_A)'],
  ['f000-$$VAR_A', 'f000-$VAR_A'],
  ['$()', '$()'],
  ['foo$', 'foo$'],
  ['', ''],
])('"%s" is "%s", as in a container', (text, expected) => {
  const known: Record<string, string> = { VAR_A: 'A', VAR_EMPTY: '' };
  expect(withReferences(text, (name) => known[name])).toBe(expected);
});

describe('a variable of a service', () => {
  test('holds what earlier ones hold, passed on or not', async () => {
    expect(await environment({ name: 'SIZE', value: '4096' }, { name: CTX, value: '$(SIZE)' })).toEqual({
      [CTX]: '4096',
    });
  });

  test('does not hold what only later ones hold', async () => {
    expect(await environment({ name: CTX, value: '$(SIZE)' }, { name: 'SIZE', value: '4096' })).toEqual({
      [CTX]: '$(SIZE)',
    });
  });

  test('holds what a Secret holds, which is not looked through itself', async () => {
    const variables = [
      { name: 'SIZE', value: '1' },
      fromSecret('KEY', 'key'),
      { name: 'LLAMA_API_KEY', value: 'a-$(KEY)' },
    ];
    expect(await environment(...variables)).toEqual({ LLAMA_API_KEY: 'a-s3cret$(SIZE)' });
  });

  test('is another one when what it refers to changes, and only then', () => {
    const model = { metadata: { name: 'one' }, spec: { source: '/a.gguf' } } as unknown as ModelResource;
    const print = (...env: EnvVar[]): string => fingerprintOf({ service: service(...env), model });
    const use = { name: CTX, value: '$(SIZE)' };
    expect(print({ name: 'SIZE', value: '1' }, use)).not.toBe(print({ name: 'SIZE', value: '2' }, use));
    expect(print({ name: 'OTHER', value: '1' }, use)).toBe(print({ name: 'OTHER', value: '2' }, use));
  });
});
