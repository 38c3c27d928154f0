import { expect, test } from '@jest/globals';
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
