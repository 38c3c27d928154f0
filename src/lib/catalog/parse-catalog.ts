import { load, YAMLException } from 'js-yaml';
import { isObject } from '../is-object.js';
import { UsageError } from '../errors.js';
import { shown } from '../printable.js';
import type { Catalog, CatalogEntry } from './catalog.js';
import { ENTRY_FIELDS } from './catalog-fields.js';
import { nearest } from '../nearest.js';
import { keyLines } from './yaml-lines.js';
import { isLongYaml } from '../yaml-size.js';
import { type YamlPiece, yamlPieces } from './yaml-pieces.js';

/** More is no list that a person keeps. */
const MAX_ENTRIES = 12_000;
/** A catalogue of so many entries has fewer. */
const MAX_VALUES = 1_000_000;

type Fields = Readonly<Record<string, unknown>>;

/** What an entry says, by path below the entry (`resources.memory`). */
type FlatEntry = ReadonlyMap<string, unknown>;

/**
 * A catalogue from its YAML text.
 * @param file names the catalogue in errors.
 * @throws UsageError INVALID_CATALOG, naming the entry, the field and the line.
 */
export function parseCatalog(text: string, file: string): Catalog {
  const whole = [{ text, linesBefore: () => 0 }];
  const pieces = yamlPieces(text);
  if (pieces === undefined) {
    if (isLongYaml(text)) throw tooLong(file);
    return catalogOf(whole, file);
  }
  try {
    return catalogOf(pieces, file);
  } catch (error) {
    if (!(error instanceof InvalidYaml)) throw error;
    // Perhaps only by itself.
    if (isLongYaml(text)) throw new UsageError(error.code, error.message, { suggestions: [APART] });
    return catalogOf(whole, file);
  }
}

const APART = 'write each entry so that it refers to no other one: a catalogue as long as this is read piece by piece';

function tooLong(file: string): UsageError {
  const suggestions = ['write its entries one below another, indented below "models:"'];
  return new UsageError('INVALID_CATALOG', `${shown(file)}: it is too long to be read at once`, { suggestions });
}

function catalogOf(pieces: Iterable<YamlPiece>, file: string): Catalog {
  const catalog = collected(pieces, file);
  checkNames(catalog, failIn(pieces, file));
  return catalog;
}

function collected(pieces: Iterable<YamlPiece>, file: string): CatalogEntry[] {
  const counter = new Counter(file);
  const catalog: CatalogEntry[] = [];
  for (const piece of pieces) {
    for (const entry of entriesOf(piece, file, counter)) catalog.push(entry);
    if (catalog.length > MAX_ENTRIES) throw invalid(`${shown(file)}: it has more than ${MAX_ENTRIES} entries`);
  }
  return catalog;
}

function entriesOf(piece: YamlPiece, file: string, counter: Counter): CatalogEntry[] {
  const fail = failIn([piece], file);
  const document = loadDocument(piece, file);
  counter.add(document);
  const models = (document as { models?: unknown } | null | undefined)?.models;
  if (!isObject(models)) return fail([], 'the catalogue has no mapping "models"');
  return Object.entries(models).map(([id, value]) => {
    if (!isObject(value)) return fail(['models', id], `entry "${shown(id)}" is not a mapping`);
    return toEntry(id, checked(id, value, fail));
  });
}

function failIn(pieces: Iterable<YamlPiece>, file: string): Fail {
  return (path, problem) => {
    const line = lastLineOf(path, pieces) ?? lastLineOf(path.slice(0, -1), pieces);
    throw invalid(`${shown(file)}${line === undefined ? '' : `:${line}`}: ${problem}`);
  };
}

/** Where keys lead to, the last time that they do. */
function lastLineOf(path: readonly string[], pieces: Iterable<YamlPiece>): number | undefined {
  let last: number | undefined;
  for (const { text, linesBefore } of pieces) {
    const line = keyLines(text)(path);
    if (line !== undefined) last = linesBefore() + line;
  }
  return last;
}

/** What is wrong with the text as YAML. */
class InvalidYaml extends UsageError {}

function loadDocument({ text, linesBefore }: YamlPiece, file: string): unknown {
  try {
    return load(text);
  } catch (error) {
    const { mark, reason } = error instanceof YAMLException ? error : { mark: undefined, reason: 'nested too deeply' };
    const line = mark === undefined ? '' : `:${linesBefore() + mark.line + 1}`;
    throw new InvalidYaml('INVALID_CATALOG', `${shown(file)}${line}: not valid YAML: ${shown(reason)}`);
  }
}

/** Aliases of aliases stand for more values than any file could hold; each is counted as often as it is met. */
class Counter {
  #count = 0;

  constructor(private readonly file: string) {}

  add(document: unknown): void {
    const waiting: unknown[] = [document];
    while (waiting.length > 0) {
      const value = waiting.pop();
      if (++this.#count > MAX_VALUES)
        throw invalid(`${shown(this.file)}: its aliases stand for more than ${MAX_VALUES} values`);
      if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) waiting.push(item);
    }
  }
}

type Fail = (path: readonly string[], problem: string) => never;

function checked(id: string, value: Fields, fail: Fail): FlatEntry {
  const entry = new Map<string, unknown>();
  for (const [name, field] of Object.entries(value)) {
    if (isObject(field)) for (const [key, item] of Object.entries(field)) entry.set(`${name}.${key}`, item);
    else entry.set(name, field);
  }
  for (const [path, item] of entry) {
    const problem = problemOf(id, path, item);
    if (problem !== undefined) fail(['models', id, ...path.split('.')], problem);
  }
  const missing = REQUIRED.find((path) => !entry.has(path));
  if (missing !== undefined) fail(['models', id], `entry "${shown(id)}" has no ${missing}`);
  return entry;
}

const REQUIRED = Object.keys(ENTRY_FIELDS).filter((path) => ENTRY_FIELDS[path]?.required === true);

function problemOf(id: string, path: string, item: unknown): string | undefined {
  const known = ENTRY_FIELDS[path];
  if (known === undefined) return `entry "${shown(id)}" has an unknown field "${shown(path)}"${hint(path)}`;
  const problem = known.check(item);
  return problem && `entry "${shown(id)}": ${path} ${shown(JSON.stringify(item) ?? 'nothing')} ${problem}`;
}

function hint(path: string): string {
  const [near] = nearest(path, Object.keys(ENTRY_FIELDS));
  return near === undefined ? '' : `; did you mean ${near}?`;
}

function toEntry(id: string, fields: FlatEntry): CatalogEntry {
  const text = (path: string): string | undefined => (fields.has(path) ? String(fields.get(path)) : undefined);
  const number = (path: string): number | undefined => fields.get(path) as number | undefined;
  const list = (path: string): readonly string[] => (fields.get(path) ?? []) as readonly string[];
  return {
    id,
    aliases: list('aliases'),
    name: text('name') ?? id,
    description: text('description') ?? '',
    useCases: list('use_cases'),
    size: text('size') ?? '',
    quantization: text('quantization'),
    source: text('source') ?? '',
    mmproj: text('mmproj'),
    draft: text('draft'),
    specType: text('spec_type'),
    homepage: text('homepage'),
    mode: (text('mode') ?? 'chat') as CatalogEntry['mode'],
    contextSize: number('context_size'),
    gpuLayers: number('gpu_layers'),
    resources: {
      cpu: text('resources.cpu'),
      memory: text('resources.memory'),
      gpuMemory: text('resources.gpu_memory'),
    },
    vramEstimate: text('vram_estimate'),
  };
}

/** No alias may be another entry's id or alias; an id that is there twice is no YAML in one piece, but in two. */
function checkNames(catalog: Catalog, fail: Fail): void {
  const ids = new Set<string>();
  for (const { id } of catalog) {
    if (ids.has(id)) fail(['models', id], `entry "${shown(id)}" is there twice`);
    ids.add(id);
  }
  const owners = new Map(catalog.map(({ id }) => [id.toLowerCase(), id]));
  for (const { id, aliases } of catalog) {
    for (const alias of aliases) {
      const owner = owners.get(alias.toLowerCase());
      if (owner !== undefined)
        fail(['models', id, 'aliases'], `entry "${shown(id)}": alias "${shown(alias)}" also names "${shown(owner)}"`);
      owners.set(alias.toLowerCase(), id);
    }
  }
}

function invalid(message: string): UsageError {
  return new UsageError('INVALID_CATALOG', message);
}
