import { describe, expect, test } from '@jest/globals';
import { dump, load } from 'js-yaml';
import { plainYaml } from '../../../src/lib/catalog/plain-yaml.js';

const ENTRY = `models:
  # the small one
  tiny-1.5b:
    name: Tiny 1.5B, "instruct" (it's small)
    size: 1.5B
    source: https://example.org/a/b.gguf
    context_size: 8192
    gpu_layers: -1
    vram_estimate: 3-4GB

    resources: { cpu: '2', memory: 4Gi }
    use_cases: [chat, 'code']
    aliases:
      - tiny
      - small
  other:
    source: "hf:owner/repo:Q4_K_M"
    resources:
      memory: 8Gi
`;

describe('the plain way to read YAML', () => {
  test('takes what people and programs mostly write, as YAML means it', () => {
    expect(plainYaml(ENTRY)).toEqual(load(ENTRY));
    const dumped = dump(load(ENTRY));
    expect(plainYaml(dumped)).toEqual(load(dumped));
  });

  test.each([
    'a: yes',
    'a: null',
    'a: ~',
    'a: 010',
    'a: 0x1B',
    'a: 1e3',
    'a: 1.5',
    'a: b # comment',
    'a: b: c',
    'a: b\n c',
    'a: b\n  c: d',
    'a:\n',
    'a: "b\\n"',
    "a: 'it''s'",
    'a: *b',
    'a: &b c',
    'a: !!str b',
    'a: |\n  b',
    'a: [b, [c]]',
    'a: [b,\n  c]',
    'a: {b: c, b: d}',
    'a: b\na: c',
    'a:\n  - b\n    - c',
    'a:\n  - b: c',
    '? a\n: b',
    '<<: a',
    '__proto__: a',
    'a:\tb',
    '- a',
    'a: b ',
  ])('leaves what may mean something else to the parser: %j', (text) => {
    expect(plainYaml(text)).toBeUndefined();
  });
});
