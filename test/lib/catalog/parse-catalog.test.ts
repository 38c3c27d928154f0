import { describe, expect, test } from '@jest/globals';
import { parseCatalog } from '../../../src/lib/catalog/parse-catalog.js';

const ONE = 'models:\n  tiny:\n    source: /models/tiny.gguf\n';

describe('a catalogue', () => {
  test('needs no more than a source for each entry', () => {
    expect(parseCatalog(ONE, 'my.yaml')).toMatchObject([
      { id: 'tiny', name: 'tiny', source: '/models/tiny.gguf', aliases: [], mode: 'chat' },
    ]);
  });

  test('says everything there is to say', () => {
    const text = `models:
  big:
    name: Big
    description: The big one.
    size: 70B
    quantization: Q4_K_M
    source: hf:owner/repo:Q4_K_M
    context_size: 4096
    gpu_layers: -1
    mode: embedding
    resources: {cpu: '4', memory: 8Gi, gpu_memory: 7.5Gi}
    vram_estimate: 6-8GB
    homepage: https://example.org
    use_cases: [chat]
    aliases: [large, largest]
`;
    expect(parseCatalog(text, 'my.yaml')).toEqual([
      {
        id: 'big',
        name: 'Big',
        description: 'The big one.',
        size: '70B',
        quantization: 'Q4_K_M',
        source: 'hf:owner/repo:Q4_K_M',
        contextSize: 4096,
        gpuLayers: -1,
        mode: 'embedding',
        resources: { cpu: '4', memory: '8Gi', gpuMemory: '7.5Gi' },
        vramEstimate: '6-8GB',
        homepage: 'https://example.org',
        useCases: ['chat'],
        aliases: ['large', 'largest'],
      },
    ]);
  });

  test.each([
    ['context that is text', `${ONE}    context_size: many\n`, 'my.yaml:4: entry "tiny": context_size "many"'],
    ['context of 0', `${ONE}    context_size: 0\n`, 'my.yaml:4: entry "tiny": context_size 0'],
    [
      'unknown field',
      `${ONE}    contxt_size: 1\n`,
      'my.yaml:4: entry "tiny" has an unknown field "contxt_size"; did you mean context_size?',
    ],
    ['bad quantity', `${ONE}    resources:\n      memory: 8 gigs\n`, 'my.yaml:5: entry "tiny": resources.memory'],
    ['bad quantity in one line', `${ONE}    resources: {memory: lots}\n`, 'my.yaml:4: entry "tiny": resources.memory'],
    [
      'missing source',
      'models:\n  a:\n    source: /x\n  tiny:\n    name: T\n',
      'my.yaml:4: entry "tiny" has no source',
    ],
    ['entry that is no mapping', 'models:\n  tiny: 3\n', 'my.yaml:2: entry "tiny" is not a mapping'],
    [
      'alias of another',
      `${ONE}    aliases: [b]\n  b:\n    source: /y\n`,
      'my.yaml:4: entry "tiny": alias "b" also names "b"',
    ],
    ['alias list that is text', `${ONE}    aliases: b\n`, 'my.yaml:4: entry "tiny": aliases "b" is not a list'],
    ['duplicate id', `${ONE}  tiny:\n    source: /y\n`, 'my.yaml:4: not valid YAML'],
    ['broken YAML', 'models:\n  tiny: [\n', 'my.yaml:'],
    ['no models', 'model: {}\n', 'the catalogue has no mapping "models"'],
    ['empty file', '', 'my.yaml'],
  ])('with an error says where: %s', (_name, text, message) => {
    expect(() => parseCatalog(text, 'my.yaml')).toThrow(message);
    expect(() => parseCatalog(text, 'my.yaml')).toThrow(
      expect.objectContaining({ code: 'INVALID_CATALOG', exitCode: 2 }),
    );
  });
});
