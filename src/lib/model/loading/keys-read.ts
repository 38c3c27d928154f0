import { Keys } from '../keys.js';
import type { FileShape } from '../model-shape.js';
import { KEYS_READ, KEYS_WITH_BAD_DEFAULTS } from './key-table.js';
import { KEY_TYPES, type KeyType } from './key-types.js';
import { refusedByLoader } from './load-error.js';

interface KeyRead {
  /** With the architecture's name in front, where llama.cpp looks for it there. */
  readonly key: string;
  readonly type: KeyType;
  readonly isList: boolean;
  readonly isRequired: boolean;
  /** Read by what all architectures have in common, not by this one's own. */
  readonly isCommon: boolean;
}

const READ_BY = new Map<string, readonly KeyRead[]>();

/** The keys that llama.cpp reads of an architecture's file. */
export function keysRead(architecture: string): readonly KeyRead[] {
  const known = READ_BY.get(architecture) ?? fromTable(architecture);
  READ_BY.set(architecture, known);
  return known;
}

function fromTable(architecture: string): readonly KeyRead[] {
  return (KEYS_READ + KEYS_WITH_BAD_DEFAULTS)
    .replaceAll('\n  ', ' ')
    .split('\n')
    .map((line) => line.split(': '))
    .flatMap(([head = '', readers = '']) => {
      const names = readers.split(' ');
      const isRequired = ['every', architecture].some((name) => names.includes(name));
      if (!isRequired && !['every?', `${architecture}?`].some((name) => names.includes(name))) return [];
      const isCommon = readers.startsWith('every');
      const words = head.split(' ');
      const name = words.at(-1) ?? '';
      const type = KEY_TYPES[name] as KeyType;
      const isList = name.startsWith('[');
      return words.slice(0, -1).map((key) => ({
        key: key.startsWith('=') ? key.slice(1) : `${architecture}.${key}`,
        type,
        isList,
        isRequired,
        isCommon,
      }));
    });
}

/** Whether an architecture's own loader reads a key, given without its name: what a header says otherwise is nothing to it. */
function readsKey(architecture: string, key: string): boolean {
  const whole = `${architecture}.${key}`;
  return keysRead(architecture).some((one) => one.key === whole);
}

/** Keys of a file without those that stand under its architecture's name and are nothing to that architecture's loader. */
export function withoutUnread({ architecture, metadata, types }: Keys): Keys {
  const prefix = `${architecture}.`;
  const isRead = (key: string): boolean =>
    !key.startsWith(prefix) ||
    READ_OF_ANY.has(key.slice(prefix.length)) ||
    readsKey(architecture, key.slice(prefix.length));
  return new Keys(new Map([...metadata].filter(([key]) => isRead(key))), architecture, types);
}

/** Read for the vocabulary where there is one without words (`llama_vocab::impl::load`). */
const READ_OF_ANY: ReadonlySet<string> = new Set(['vocab_size']);

/** What is looked at only where something else is so, or is not: `load_hparams`. */
const READ_WHEN: ReadonlyMap<string, (keys: Keys) => boolean> = new Map<string, (keys: Keys) => boolean>([
  ['rope.scale_linear', (keys) => !keys.has('rope.scaling.factor')],
  ...['attention.key_length', 'attention.value_length', 'rope.dimension_count'].map(
    (key): [string, (keys: Keys) => boolean] => [key, hasHeads],
  ),
]);

function hasHeads(keys: Keys): boolean {
  const heads = keys.raw('attention.head_count');
  return ((Array.isArray(heads) ? heads[0] : heads) ?? 0) !== 0;
}

/**
 * Holds the values of a header against the types that llama.cpp reads them as, also where it could do without them.
 * @throws CheckIncompleteError in llama.cpp's words
 */
export function checkKeyTypes({ architecture, keys }: Pick<FileShape, 'architecture' | 'keys'>): void {
  const layers = layersOf(architecture, keys);
  for (const { key, type: takes, isRequired, isCommon } of keysRead(architecture)) {
    const value = keys.metadata.get(key);
    if (isCommon && READ_WHEN.get(key.slice(architecture.length + 1))?.(keys) === false) continue;
    if (value === undefined) continue;
    const reason = takes({ key, value, type: keys.types?.get(key), isRequired, layers });
    if (reason !== undefined) throw refusedByLoader('MODEL_KEY_TYPE', reason);
  }
}

function layersOf(architecture: string, { metadata }: Keys): { all: number; run: number } | undefined {
  const all = metadata.get(`${architecture}.block_count`);
  const ahead = metadata.get(`${architecture}.nextn_predict_layers`) ?? 0;
  return typeof all === 'number' && typeof ahead === 'number' ? { all, run: all - ahead } : undefined;
}
