type Mapping = Record<string, unknown>;

/** A line of a block mapping: how far it is indented, its key, and its value where that stands on the same line. */
const FIELD = /^( *)([A-Za-z][\w.-]*):(?: +(\S.*))?$/;
const ITEM = /^( *)- +(\S.*)$/;
const NOTHING = /^ *(?:#.*)?$/;

/** What means itself, and nothing else, in any kind of YAML. */
const TEXT = /^[A-Za-z/][\w ./+()%@=~;!?,'":-]*$/;
const NOT_TEXT = /: |:$| $|^(?:true|false|null|yes|no|on|off|y|n)$/i;
const AMOUNT = /^[1-9][\d.-]*(?:GB|B|M|Gi|Mi)$/;
const WHOLE = /^-?[1-9]\d{0,14}$/;
const QUOTED = /^(['"])([\w ./+()%@=~;!?,:#-]*)\1$/;

/** A block mapping under way. */
interface Level {
  readonly indent: number;
  readonly mapping: Mapping;
  /** The last key, where its value is on lines of its own, and how far the items of that value are indented. */
  key?: string | undefined;
  itemIndent?: number | undefined;
}

/** Entries, their fields, and what a field on lines of its own has. */
const DEEPEST = 3;

/**
 * What a catalogue's text means, for the few forms in which nearly every entry is written, in a fraction of the time and the memory that
 * YAML takes; undefined where anything in it may mean something else.
 */
export function plainYaml(text: string): Mapping | undefined {
  const root: Mapping = {};
  const open: Level[] = [{ indent: 0, mapping: root }];
  for (const line of text.split('\n')) {
    if (NOTHING.test(line)) continue;
    const [, spaces = '', key, own] = FIELD.exec(line) ?? ITEM.exec(line) ?? [];
    if (key === undefined) return undefined;
    while (open.length > 1 && spaces.length < (open.at(-1)?.indent ?? 0)) open.pop();
    let level = open.at(-1);
    if (level === undefined) return undefined;
    if (line.startsWith('- ', spaces.length)) {
      if (!addItem(level, spaces.length, key)) return undefined;
      continue;
    }
    if (spaces.length > level.indent) {
      if (level.key === undefined || level.mapping[level.key] !== undefined || open.length > DEEPEST) return undefined;
      const mapping: Mapping = {};
      level.mapping[level.key] = mapping;
      level = { indent: spaces.length, mapping };
      open.push(level);
    }
    if (spaces.length !== level.indent || Object.hasOwn(level.mapping, key)) return undefined;
    const value = own === undefined ? undefined : (scalar(own) ?? flow(own));
    if (own !== undefined && value === undefined) return undefined;
    level.mapping[key] = value;
    level.key = own === undefined ? key : undefined;
    level.itemIndent = undefined;
  }
  return isComplete(root) ? root : undefined;
}

/** An item of the list that is the value of the last key. */
function addItem(level: Level, indent: number, text: string): boolean {
  const { mapping, key, itemIndent = indent } = level;
  const item = scalar(text);
  if (key === undefined || indent <= level.indent || indent !== itemIndent || item === undefined) return false;
  const list = (mapping[key] ??= []);
  if (!Array.isArray(list)) return false;
  list.push(item);
  level.itemIndent = indent;
  return true;
}

function scalar(text: string): string | number | undefined {
  if (TEXT.test(text) && !NOT_TEXT.test(text)) return text;
  if (AMOUNT.test(text)) return text;
  if (WHOLE.test(text)) return Number(text);
  return QUOTED.exec(text)?.[2];
}

/** `[a, b]` or `{a: b, c: d}` on one line, of nothing but scalars. */
function flow(text: string): unknown {
  const [, list, mapping] = /^(?:\[ *([^[\]{}]+?) *\]|\{ *([^[\]{}]+?) *\})$/.exec(text) ?? [];
  if (list !== undefined) {
    const items = list.split(/, */).map(scalar);
    return items.includes(undefined) ? undefined : items;
  }
  const fields = mapping?.split(/, */).map((field) => /^([A-Za-z][\w.-]*): +(.+)$/.exec(field));
  if (fields === undefined || fields.includes(null)) return undefined;
  const entries = fields.map((field) => [field?.[1] ?? '', scalar(field?.[2] ?? '')] as const);
  const isPlain = new Set(entries.map(([key]) => key)).size === entries.length;
  return isPlain && entries.every(([, value]) => value !== undefined) ? Object.fromEntries(entries) : undefined;
}

/** Every key has a value: YAML takes one without for nothing. */
function isComplete(value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  return Object.values(value).every(isComplete);
}
