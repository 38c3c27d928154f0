import { isObject } from './is-object.js';
import { withoutSecrets, wordWithoutSecrets } from './secrets.js';

const PLAIN = /^[\x20-\x7e]*$/;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Longest piece of foreign text that a message repeats, in characters. */
const MAX_SHOWN_CHARACTERS = 120;
const SHOWN_AT_END = 80;

/**
 * Foreign text (a tensor name, a server's words) made safe for a terminal: control, bidirectional and other invisible
 * characters are shown as `\u{1b}`, long text is cut, a path in its middle.
 */
export function printable(text: string): string {
  if (text.length <= MAX_SHOWN_CHARACTERS && PLAIN.test(text)) return text;
  return harmless(shortened(text));
}

/** The same at its whole length: one line, whatever it was made of. */
export function harmless(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Of a path the end, which has the file's name, is worth more than the middle. */
function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= MAX_SHOWN_CHARACTERS) return text;
  const isPath = /[/\\]/.test(text) && (!/\s/.test(text) || /\.\w{1,8}$/.test(text));
  const tail = isPath ? characters.slice(-SHOWN_AT_END).join('') : '';
  return `${characters.slice(0, MAX_SHOWN_CHARACTERS - [...tail].length).join('')}…${tail}`;
}

/** A piece of text from outside as a message may repeat it: short, on one line, harmless for a terminal, free of secrets. */
export function shown(text: string): string {
  return printable(withoutSecrets(text));
}

/** Bold, dim, and the colours that reports have; others may hide text. */
// eslint-disable-next-line no-control-regex -- how colours look on a terminal
const COLOUR = /\u001b\[(?:[012]|22|3[1-7]|39|90)m/g;
const PLAIN_LINES = /^[\x20-\x7e\n\t]*$/;
const UNPRINTABLE_BUT_LINES = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * What a command writes, whatever it is made of: without secrets, and nothing that acts on a terminal.
 * @param colours those that reports have are kept
 */
export function safeOutput(text: string, colours: 'keep' | 'none' = 'keep'): string {
  if (PLAIN_LINES.test(text) || isHarmless(text)) return withoutSecrets(text);
  const kept = colours === 'keep' ? (text.match(COLOUR) ?? []) : [];
  if (kept.length === 0) return withoutActs(withoutSecrets(text));
  return withoutSecrets(text)
    .split(COLOUR)
    .map((part, index) => withoutActs(part) + (kept[index] ?? ''))
    .join('');
}

/** Lines stay lines. */
function withoutActs(text: string): string {
  return text.replace(UNPRINTABLE_BUT_LINES, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** JSON without secrets, in which nothing can act on a terminal; on one line with an indent of 0. */
export function jsonText(value: unknown, indent = 2): string {
  return escapedInJson(JSON.stringify(value, withoutSecret, indent));
}

/** As `jsonText` gives it, but a long list in an object piece by piece, so that thousands of answers are not held as text all at once. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (!isObject(value) || !Object.values(value).some(isLongList)) return yield jsonText(value);
  let before = '{\n';
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    yield `${before}  ${jsonText(key)}: `;
    before = ',\n';
    if (isLongList(item)) yield* listPieces(item);
    else yield indented(jsonText(item), '  ');
  }
  yield '\n}';
}

const LONG = 64;

/** A list of objects that are made when they are written, in JSON like any other. */
export class MadeList {
  constructor(
    readonly length: number,
    private readonly make: (index: number) => object,
  ) {}

  slice(from: number, to: number): readonly object[] {
    const count = Math.min(to, this.length) - from;
    return Array.from({ length: count }, (_, index) => this.make(from + index));
  }

  toJSON(): readonly object[] {
    return this.slice(0, this.length);
  }
}

/** Of nothing but objects: what is secret in a list of texts only their order tells. */
function isLongList(value: unknown): value is readonly unknown[] | MadeList {
  if (value instanceof MadeList) return value.length > LONG;
  return Array.isArray(value) && value.length > LONG && value.every(isObject);
}

function* listPieces(list: readonly unknown[] | MadeList): Generator<string> {
  for (let at = 0; at < list.length; at += LONG) {
    const part = indented(jsonText(list.slice(at, at + LONG)), '  ');
    yield (at === 0 ? '[' : ',') + part.slice(1, -'\n  ]'.length);
  }
  yield '\n  ]';
}

function indented(json: string, by: string): string {
  return json.replaceAll('\n', `\n${by}`);
}

function withoutSecret(this: unknown, key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return Array.isArray(this) ? wordWithoutSecrets(value, this[Number(key) - 1]) : withoutSecrets(value);
}

/** JSON, or text of which everything is quoted as in JSON, that means the same and cannot act on a terminal. */
export function escapedInJson(json: string): string {
  return json.replace(UNPRINTABLE_BUT_LINES, escaped);
}

/** Whether text has anything that acts on a terminal, or turns or hides text. */
export function isHarmless(text: string): boolean {
  return text.search(UNPRINTABLE_BUT_LINES) < 0;
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
}
