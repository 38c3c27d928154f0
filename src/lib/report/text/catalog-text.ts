import type { ChalkInstance } from 'chalk';
import type { Catalog, CatalogEntry } from '../../catalog/catalog.js';
import { shown } from '../../printable.js';
import { alignColumns } from '../layout/columns.js';

const BY_AMOUNT = new Intl.Collator('en', { numeric: true });

/** By id, numbers in it by their amount: 8b before 70b. */
export function sortedCatalog(catalog: Catalog): Catalog {
  return [...catalog].sort((a, b) => BY_AMOUNT.compare(a.id, b.id));
}

/** One line an entry: id, size, quantization, what it takes, name, and what else it is called. */
export function catalogTable(catalog: Catalog, colors: ChalkInstance): string {
  const header = ['ID', 'SIZE', 'QUANT', 'MEMORY', 'NAME', 'ALIASES'];
  const rows = catalog.map(({ id, size, quantization, vramEstimate, name, aliases }) => [
    shown(id),
    shown(size),
    shown(quantization ?? ''),
    vramEstimate ?? '',
    shown(name),
    aliases.map(shown).join(', '),
  ]);
  const [head = '', ...lines] = alignColumns([header, ...rows]);
  return [colors.bold(head), ...lines].join('\n');
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
