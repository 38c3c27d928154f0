import { parseBoundedJson } from '../../../bounded-json.js';
import { isClosed, jsonItems, jsonMembers, type Span } from './json-spans.js';

/** In characters; operators' objects have some ten thousand, and one in etcd may have 1.5 million. */
const MAX_OBJECT_LENGTH = 2 ** 18;
/** Those have some hundred; a value takes up to five hundred bytes of memory, until it is given back. */
const MAX_OBJECT_VALUES = 20_000;

const NAMES = ['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'] as const;
/** Which Models a service uses: they must not go because it is large. */
const MODEL_NAMES = ['modelRef', 'speculativeDecoding'] as const;
/** Of a name or a time, or of what a list says of itself: where its next page is. */
const MAX_SHORT_LENGTH = 2 ** 14;

/** A page of a list. */
export interface ListPage {
  readonly items: readonly unknown[];
  /** What the next page is asked for by; empty when there is none. */
  readonly next: string;
  /** That a watch can go on from. */
  readonly version: string;
  /** In characters, of what is kept of its objects and of what is around them. */
  readonly length: number;
}

/**
 * The event of a watch in its text. Of an object that is larger than any that is made to be used, only what it and its Models are called by, marked
 * as `partial`: whoever may write one must not keep others' from being seen.
 * @returns undefined for text that is no event
 */
export function watchEventOf(text: string): { readonly type: unknown; readonly object: unknown } | undefined {
  const { type, object } = jsonMembers(text, ['type', 'object']);
  if (type === undefined || object === undefined) return undefined;
  return { type: shortValue(text, type), object: objectOf(textOf(text, object)).object };
}

/**
 * A page of a list in its text, with objects as `watchEventOf` gives them.
 * @param most objects that are read of it; there may be one more
 * @returns undefined for text that is no list
 */
export function listPageOf(text: string, most: number): ListPage | undefined {
  const { items: list, metadata } = jsonMembers(text, ['items', 'metadata']);
  // One that was cut off must not pass for a shorter one.
  if (list === undefined || text[list.from] !== '[' || !isClosed(text)) return undefined;
  const own = metadata === undefined ? {} : jsonMembers(text, ['continue', 'resourceVersion'], metadata);
  const items: unknown[] = [];
  let length = text.length - (list.to - list.from);
  for (const span of jsonItems(text, list)) {
    const item = objectOf(textOf(text, span));
    items.push(item.object);
    length += item.length;
    if (items.length > most) break;
  }
  const [next, version] = [own.continue, own.resourceVersion].map((span) => span && shortValue(text, span));
  return { items, next: typeof next === 'string' ? next : '', version: String(version ?? ''), length };
}

/** One object, or a refusal. @throws SyntaxError, TooManyValues */
export function parseObject(text: string): unknown {
  return parseBoundedJson(text, MAX_OBJECT_VALUES);
}

/** And how long what is kept of it is as text. */
function objectOf(text: string): { readonly object: unknown; readonly length: number } {
  try {
    if (text.length <= MAX_OBJECT_LENGTH) return { object: parseObject(text), length: text.length };
  } catch {
    // Too many values, or nested too deeply: as if it was too long.
  }
  return { object: namesOf(text), length: MAX_SHORT_LENGTH };
}

function namesOf(text: string): unknown {
  const { metadata, spec } = jsonMembers(text, ['metadata', 'spec']);
  return { metadata: shortValues(text, NAMES, metadata), spec: shortValues(text, MODEL_NAMES, spec), partial: true };
}

function shortValues(text: string, keys: readonly string[], at: Span | undefined): Readonly<Record<string, unknown>> {
  const found = at === undefined ? {} : jsonMembers(text, keys, at);
  const values = keys.map((key) => [key, found[key] && shortValue(text, found[key])] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** Undefined where it is long, or no JSON. */
function shortValue(text: string, span: Span): unknown {
  if (span.to - span.from > MAX_SHORT_LENGTH) return undefined;
  try {
    return parseBoundedJson(textOf(text, span));
  } catch {
    return undefined;
  }
}

function textOf(text: string, { from, to }: Span): string {
  return text.slice(from, to);
}
