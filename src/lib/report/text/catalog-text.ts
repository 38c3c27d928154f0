import type { ChalkInstance } from 'chalk';
import type { Catalog, CatalogEntry } from '../../catalog/catalog.js';
import { shown } from '../../printable.js';
import { alignColumns, lengthOf } from '../layout/columns.js';
import { hanging } from '../layout/wrap.js';

const BY_AMOUNT = new Intl.Collator('en', { numeric: true });

/** By id, numbers in it by their amount: 8b before 70b. */
export function sortedCatalog(catalog: Catalog): Catalog {
  return [...catalog].sort((a, b) => BY_AMOUNT.compare(a.id, b.id));
}

/** Columns that a list of aliases wants at least. */
const ALIASES_COLUMNS = 24;
const GAP = 2;

/**
 * One line an entry: id, size, quantization, what it takes, name, and what else it is called. Within a width, aliases go on
 * below themselves, and without room for them or the names these are left out.
 */
export function catalogTable(catalog: Catalog, colors: ChalkInstance, width = Infinity): string {
  const facts = alignColumns([
    ['ID', 'SIZE', 'QUANT', 'MEMORY'],
    ...catalog.map(({ id, size, quantization = '', vramEstimate = '' }) => [
      ...[id, size, quantization].map(shown),
      vramEstimate,
    ]),
  ]);
  const names = ['NAME', ...catalog.map(({ name }) => shown(name))];
  const named = alignColumns(facts.map((fact, index) => [fact, names[index] ?? '']));
  const start = [named, facts].find((lines) => widest(lines) + GAP + ALIASES_COLUMNS <= width);
  const aliases = ['ALIASES', ...catalog.map((entry) => entry.aliases.map(shown).join(', '))];
  const indent = widest(start ?? facts) + GAP;
  const lines = (start ?? facts).map((line, index) => {
    const words = aliases[index]?.split(' ') ?? [];
    return start === undefined ? line : hanging(line.padEnd(indent), words, width).join('\n').trimEnd();
  });
  return [colors.bold(lines[0] ?? ''), ...lines.slice(1)].join('\n');
}

function widest(lines: readonly string[]): number {
  return lines.reduce((most, line) => Math.max(most, lengthOf(line)), 0);
}

export function catalogEntryText(entry: CatalogEntry, colors: ChalkInstance): string {
  const { id, name, description, resources, contextSize } = entry;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['aliases', entry.aliases.join(', ')],
    ['use cases', entry.useCases.join(', ')],
    ['size', entry.size],
    ['quantization', entry.quantization],
    ['mode', entry.mode],
    ['context', contextSize === undefined ? undefined : `${contextSize} tokens`],
    ['GPU layers', entry.gpuLayers === undefined || entry.gpuLayers < 0 ? 'all' : String(entry.gpuLayers)],
    ['memory', entry.vramEstimate],
    ['cpu request', resources.cpu],
    ['memory request', resources.memory],
    ['GPU memory', resources.gpuMemory],
    ['source', entry.source],
    ['projector', entry.mmproj],
    ['draft', entry.draft],
    ['drafts by', entry.specType],
    ['homepage', entry.homepage],
  ];
  const lines = rows
    .filter(([, value]) => value)
    .map(([label, value]) => `  ${label.padEnd(15)} ${shown(value ?? '')}`);
  return [`${colors.bold(shown(id))}  ${shown(name)}`, ...(description ? [shown(description)] : []), '', ...lines].join(
    '\n',
  );
}
