import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import type { CatalogEntry } from '../../../src/lib/catalog/catalog.js';
import { findEntry } from '../../../src/lib/catalog/catalog.js';
import { parseCatalog } from '../../../src/lib/catalog/parse-catalog.js';

function catalogOf(entries: number): string {
  const one = (i: number): string => `  m-${i}:\n    source: hf:a/b:Q4_K_M\n    aliases: [a-${i}, A-${i}-x]\n`;
  return `models:\n${Array.from({ length: entries }, (_, i) => one(i)).join('')}`;
}

test('finding every entry of a catalogue looks at each once, however many there are', () => {
  let looks = 0;
  const catalog = parseCatalog(catalogOf(2000), 'many.yaml').map((entry): CatalogEntry => ({
    ...entry,
    get id() {
      looks++;
      return entry.id;
    },
  }));
  for (let i = 0; i < 2000; i++) expect(findEntry(catalog, i % 2 === 0 ? `M-${i}` : `a-${i}-X`)).toBe(catalog[i]);
  expect(looks).toBeLessThanOrEqual(2 * 2000);
});

test('an id goes before an alias, and the first before later ones', () => {
  const text = 'models:\n  one:\n    source: hf:a/b\n    aliases: [x]\n  two:\n    source: hf:a/b\n';
  const [one, two] = parseCatalog(text, 'two.yaml');
  const alias = { ...one, aliases: ['two', 'both'] } as CatalogEntry;
  const later = { ...two, aliases: ['both'] } as CatalogEntry;
  expect(findEntry([alias, later], 'TWO')).toBe(later);
  expect(findEntry([alias, later], 'both')).toBe(alias);
});

describe('a catalogue that is read piece by piece', () => {
  const MANY = 5000;
  const many = catalogOf(MANY);
  const withFirst = (entry: string): string => many.replace('models:\n', `models:\n${entry}`);

  test('has all its entries, in order', () => {
    expect(parseCatalog(many, 'many.yaml').map(({ id }) => id)).toEqual(
      Array.from({ length: MANY }, (_, index) => `m-${index}`),
    );
  });

  test.each([
    ['an unknown field', '    nonsense: 1\n', /^many\.yaml:15002: entry "m-4999" has an unknown field "nonsense"/],
    [
      'an entry that was there before',
      '  m-1:\n    source: hf:a/b\n',
      /^many\.yaml:15002: not valid YAML: .*duplicate/,
    ],
    [
      'an alias of an entry far above',
      '  z:\n    source: hf:a/b\n    aliases: [a-1]\n',
      /15004: .*"a-1" also names "m-1"/,
    ],
    ['a text without its end', '  z:\n    source: "hf:a/b\n', /^many\.yaml:\d+: not valid YAML/],
    ['another key beside the models', 'other:\n\tx\n', /not valid YAML/],
  ])('says where its last lines are wrong: %s', (_, last, words) => {
    expect(() => parseCatalog(many + last, 'many.yaml')).toThrow(words);
  });

  test('says where its first lines are wrong', () => {
    const text = withFirst('  first:\n    source: hf:a/b\n    nonsense: 1\n');
    expect(() => parseCatalog(text, 'many.yaml')).toThrow(
      /^many\.yaml:4: entry "first" has an unknown field "nonsense"/,
    );
  });

  test('may refer to what is written in another piece', () => {
    const text = `${withFirst('  first:\n    source: &where hf:a/b:Q8_0\n')}  last:\n    source: *where\n`;
    expect(findEntry(parseCatalog(text, 'many.yaml'), 'last')?.source).toBe('hf:a/b:Q8_0');
  });

  test('takes less than 64 MB for ten thousand entries', () => {
    const program = `
      import { parseCatalog } from './dist/lib/catalog/parse-catalog.js';
      import peakBytes from './test/support/peak-bytes.cjs';
      const line = (i) => '  m-' + i + ':\\n    name: Model ' + i + '\\n    description: entry ' + i + ' of many that nobody reads\\n'
        + '    source: https://models.example/m-' + i + '/model-Q4_K_M.gguf\\n    size: 3B\\n    quantization: Q4_K_M\\n'
        + '    use_cases: [chat]\\n    context_size: 4096\\n    resources: {cpu: "2", memory: 4Gi}\\n';
      const text = 'models:\\n' + Array.from({ length: 10_000 }, (_, i) => line(i)).join('');
      const before = peakBytes();
      const { length } = parseCatalog(text, 'many.yaml');
      console.log(JSON.stringify({ length, grown: peakBytes() - before }));`;
    const words = ['--input-type=module', '--eval', program];
    const { length, grown } = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as Record<
      string,
      number
    >;
    expect(length).toBe(10_000);
    expect(grown).toBeLessThan(64 * 2 ** 20);
  });
});
