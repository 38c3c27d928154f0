import { EVENT_MAPPING, EVENT_POP, EVENT_SCALAR, EVENT_SEQUENCE, getScalarValue, parseEvents } from 'js-yaml';

/** A mapping whose next scalar is a key, or the value of `key`; a sequence has neither. */
interface Level {
  readonly path: readonly string[];
  readonly mapping: boolean;
  key: string | undefined;
}

/** The line, counted from 1, of every key of a YAML text's mappings, found by the keys that lead to it. */
export function keyLines(text: string): (path: readonly string[]) => number | undefined {
  const lines = new Map<string, number>();
  const levels: Level[] = [];
  const lineAt = lineCounter(text);
  for (const event of parseEvents(text, {})) {
    const level = levels.at(-1);
    if (event.type === EVENT_MAPPING || event.type === EVENT_SEQUENCE) {
      const path = level?.key === undefined ? (level?.path ?? []) : [...level.path, level.key];
      if (level !== undefined) level.key = undefined;
      levels.push({ path, mapping: event.type === EVENT_MAPPING, key: undefined });
    } else if (event.type === EVENT_POP) {
      levels.pop();
    } else if (event.type === EVENT_SCALAR && level?.mapping === true && level.key === undefined) {
      level.key = getScalarValue(text, event);
      lines.set(keyOf([...level.path, level.key]), lineAt(event.valueStart));
    } else if (level !== undefined) {
      level.key = undefined;
    }
  }
  return (path) => lines.get(keyOf(path));
}

function keyOf(path: readonly string[]): string {
  return JSON.stringify(path);
}

/** Which line an offset is on, counted from 1; offsets come in order, so that the text is gone through once. */
function lineCounter(text: string): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    for (let next = text.indexOf('\n', at); next >= 0 && next < offset; next = text.indexOf('\n', at)) {
      line++;
      at = next + 1;
    }
    return line;
  };
}
