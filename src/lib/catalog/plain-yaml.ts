/** What YAML may take for something else than the text that it looks like. */
const NO_TEXT = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
/** A letter or a slash first, and nothing that ends a value or begins a comment; colons within a word only. */
const TEXT =
  /^[A-Za-z/][\w./@%+=()~?&*'",;<>!-]*(?::[\w./@%+=()~?&*'",;<>!-]+)*(?: [\w./@%+=()~?&*'",;<>!-]+(?::[\w./@%+=()~?&*'",;<>!-]+)*)*$/;
/** `8Gi`, `5-8GB`, `32B`; nothing that could be a number. */
const AMOUNT = /^\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)?(?:[kKMGTP]i?B?|B)$/;
const WHOLE_NUMBER = /^(?:0|-?[1-9]\d{0,14})$/;
const QUOTED = /^(?:"[\x20\x21\x23-\x5b\x5d-\x7e]*"|'[\x20-\x26\x28-\x7e]*')$/;
const LIST = /^\[(?:[A-Za-z][\w./ -]*(?:, [A-Za-z][\w./ -]*)*)?\]$/;
const ENTRY = /^( *)([A-Za-z][\w.-]{0,99}): *(.*)$/;
const ITEM = /^( *)- (.*)$/;
const NOTHING = /^ *(?:#[\x20-\x7e\u00a0-\ud7ff]*)?$/;

type Mapping = Record<string, unknown>;

/** A mapping that lines are added to, or a list that stands below its key. */
interface Level {
  readonly indent: number;
  readonly mapping: Mapping;
}

/**
 * What YAML of the plainest kind says, as programs write it: mappings in lines, and words, amounts, whole numbers and short lists behind their
 * keys. Undefined for all that is or might be anything else, wrong or right: a parser of YAML takes ten times as long to say. What is
 * given is what js-yaml's `load` gives.
 */
export function plainYaml(text: string): Mapping | undefined {
  const document: Mapping = {};
  const levels: Level[] = [{ indent: 0, mapping: document }];
  /** A key without a value so far. */
  let open: { readonly key: string; readonly indent: number } | undefined;
  let list: { readonly indent: number; readonly items: unknown[] } | undefined;
  for (const line of text.split('\n')) {
    if (NOTHING.test(line)) continue;
    const item = ITEM.exec(line);
    if (item !== null) {
      const [, { length: indent } = '', word = ''] = item;
      const value = valueOf(word);
      if (value === undefined) return undefined;
      if (open !== undefined && indent >= open.indent) {
        list = { indent, items: [value] };
        top(levels).mapping[open.key] = list.items;
        open = undefined;
      } else if (open === undefined && list?.indent === indent) list.items.push(value);
      else return undefined;
      continue;
    }
    const [, { length: indent } = '', key, rest = ''] = ENTRY.exec(line) ?? [];
    if (key === undefined || NO_TEXT.test(key)) return undefined;
    if (open !== undefined) {
      if (indent <= open.indent) return undefined;
      const mapping: Mapping = {};
      top(levels).mapping[open.key] = mapping;
      levels.push({ indent, mapping });
      open = undefined;
    }
    while (top(levels).indent > indent) levels.pop();
    const { indent: own, mapping } = top(levels);
    if (own !== indent || Object.hasOwn(mapping, key)) return undefined;
    list = undefined;
    const word = rest.replace(/ +$/, '');
    if (word === '') {
      open = { key, indent };
      // Its place among the others.
      mapping[key] = undefined;
      continue;
    }
    const value = valueOf(word);
    if (value === undefined || line.charAt(indent + key.length + 1) !== ' ') return undefined;
    mapping[key] = value;
  }
  return open === undefined ? document : undefined;
}

function top(levels: readonly Level[]): Level {
  const last = levels.at(-1);
  if (last === undefined) throw new Error('a document has one level at the least');
  return last;
}

function valueOf(word: string): unknown {
  if (TEXT.test(word)) return NO_TEXT.test(word) ? undefined : word;
  if (AMOUNT.test(word)) return word;
  if (WHOLE_NUMBER.test(word)) return Number(word);
  if (LIST.test(word)) {
    const items = word === '[]' ? [] : word.slice(1, -1).split(', ');
    return items.some((item) => NO_TEXT.test(item) || item.includes('  ') || item.endsWith(' ')) ? undefined : items;
  }
  return QUOTED.test(word) ? word.slice(1, -1) : undefined;
}
