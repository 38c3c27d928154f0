import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { load } from 'js-yaml';
import type { ModelResource } from '../../../../src/lib/kube/client/api.js';
import { isHarmless } from '../../../../src/lib/printable.js';
import { formatManifests } from '../../../../src/lib/report/json/manifests.js';

function model(text: string): ModelResource {
  const metadata = { name: 'tiny', namespace: 'default', annotations: { note: text } };
  const spec = { source: text, format: 'gguf' } as const;
  return { apiVersion: 'inference.llmkube.dev/v1alpha1', kind: 'Model', metadata, spec };
}

describe('a manifest', () => {
  test.each(['yaml', 'json'] as const)('says the same to the letter as %s, and acts on no terminal', (format) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = formatManifests([model(text)], format);
        expect(isHarmless(written)).toBe(true);
        const read = format === 'yaml' ? load(written) : (JSON.parse(written) as { items: unknown[] }).items[0];
        expect(read).toMatchObject({ spec: { source: text }, metadata: { annotations: { note: text } } });
      }),
    );
  });
});
