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
    ['an entry that was there before', '  m-1:\n    source: hf:a/b\n', /^many\.yaml:15002: entry "m-1" is there twice/],
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

  test('may begin with a comment longer than a piece', () => {
    const text = withFirst(`  # ${'A list of ours. '.repeat(1000)}\n`);
    expect(parseCatalog(text, 'many.yaml')).toHaveLength(MANY);
  });

  test('is cut between lines that end as those of Windows do, too', () => {
    const text = `# ours\r\n${many.replaceAll('\n', '\r\n')}`;
    expect(parseCatalog(text, 'many.yaml')).toEqual(parseCatalog(many, 'many.yaml'));
    const wrong = `${text}  z:\r\n    nonsense: 1\r\n`;
    expect(() => parseCatalog(wrong, 'many.yaml')).toThrow(/^many\.yaml:15004: entry "z" has an unknown field/);
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

  test.each([
    ['has too many entries', catalogOf(12_001), /^many\.yaml: it has more than 12000 entries$/],
    [
      'is one long list',
      `models: {${'a: {source: a/b}, '.repeat(50_000)}}`,
      /^many\.yaml: it is too long to be read at once$/,
    ],
  ])('is refused where it %s', (_, text, words) => {
    expect(() => parseCatalog(text, 'many.yaml')).toThrow(words);
  });

  test('says what to do where an entry refers to one far above and all are too long to be read at once', () => {
    const long = catalogOf(11_000)
      .replaceAll('    aliases', '    use_cases: [a, b, c, d, e, f, g]\n    aliases')
      .slice('models:\n'.length);
    const text = `models:\n  first:\n    source: &where hf:a/b:Q8_0\n${long}  last:\n    source: *where\n`;
    const refused = expect.objectContaining({
      message: 'many.yaml:44005: not valid YAML: unidentified alias "where"',
      options: { suggestions: [expect.stringMatching(/^write each entry so that it refers to no other one/)] },
    });
    expect(() => parseCatalog(text, 'many.yaml')).toThrow(refused as unknown as Error);
  });

  const LINE = `(i) => '  m-' + i + ':\\n    name: Model ' + i + '\\n    description: entry ' + i + ' of many that nobody reads\\n'
    + '    source: https://models.example/m-' + i + '/model-Q4_K_M.gguf\\n    size: 3B\\n    quantization: Q4_K_M\\n'
    + '    use_cases: [chat]\\n    context_size: 4096\\n    resources: {cpu: "2", memory: 4Gi}\\n'`;
  const ALIAS = `(i) => '  m-' + i + ':\\n    source: ' + (i > 0 ? '*s' : '&s hf:a/b:Q4_K_M') + '\\n    description: ${'x'.repeat(85)}\\n'`;
  const SHORT = `(i) => '  m-' + i + ': {source: a/b}\\n'`;

  test.each([
    ['ten thousand entries', 10_000, LINE],
    ['twelve thousand that refer to the first one', 12_000, ALIAS],
    ['twelve thousand of a line each', 12_000, SHORT],
  ])('takes less than 64 MB for %s', (_, count, line) => {
    const program = `
      import { parseCatalog } from './dist/lib/catalog/parse-catalog.js';
      import peakBytes from './test/support/peak-bytes.cjs';
      const text = 'models:\\n' + Array.from({ length: ${count} }, (_, i) => (${line})(i)).join('');
      const before = peakBytes();
      const { length } = parseCatalog(text, 'many.yaml');
      console.log(JSON.stringify({ length, grown: peakBytes() - before }));`;
    const words = ['--input-type=module', '--eval', program];
    const { length, grown } = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as Record<
      string,
      number
    >;
    expect(length).toBe(count);
    expect(grown).toBeLessThan(64 * 2 ** 20);
  });
});
