import { SET_ROWS } from './data/sets.js';
import { type Expression, parseExpression } from './expression.js';

/** A tensor that is loaded: its name, in which `blk.*.` stands for the layer, and its shape, row length first. */
export interface TensorRow {
  readonly kind: 'tensor';
  readonly name: string;
  readonly dims: readonly Expression[];
  /** Not 0 where the file need not have it. */
  readonly optional: Expression;
  /** Only the number of elements counts. */
  readonly reshaped: boolean;
}

export type Row =
  | TensorRow
  | { readonly kind: 'let'; readonly name: string; readonly value: Expression }
  | {
      readonly kind: 'if';
      readonly test: Expression;
      readonly then: readonly Row[];
      readonly otherwise: readonly Row[];
    }
  | { readonly kind: 'each'; readonly from: Expression; readonly to: Expression; readonly body: readonly Row[] }
  | { readonly kind: 'refuse'; readonly test: Expression; readonly reason: string };

const SETS = new Map(
  SET_ROWS.trim()
    .split(/\n(?=\S)/)
    .map((block) => {
      const [name = '', ...rows] = block.split('\n');
      return [name, rows] as const;
    }),
);

const ROW = /^([\w.!* ]+?)(?:(\?(?:\((.*?)\))?)?(~?): (.*))?$/;
const NEVER = parseExpression('0');
const ALWAYS = parseExpression('1');

/** Rows from their text: one a line, what belongs to an `if`, `else` or `each` indented by two spaces more. */
export function parseRows(lines: readonly string[]): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < lines.length;) {
    const line = (lines[at] ?? '').trim();
    const [word = '', rest = ''] = split(line, ' ');
    const end = endOfBlock(lines, at);
    const inner = lines.slice(at + 1, end);
    at = end;
    if (word === 'if') {
      const hasElse = lines[end]?.trim() === 'else' && depth(lines[end]) === depth(lines[at - inner.length - 1]);
      const elseEnd = hasElse ? endOfBlock(lines, end) : end;
      const otherwise = parseRows(lines.slice(end + 1, elseEnd));
      rows.push({ kind: 'if', test: expression(rest), then: parseRows(inner), otherwise });
      at = elseEnd;
    } else if (word === 'each') {
      const [from, to] = split(rest, '..');
      rows.push({ kind: 'each', from: expression(from), to: expression(to), body: parseRows(inner) });
    } else if (word === 'let') {
      const [name, value] = split(rest, ' = ');
      rows.push({ kind: 'let', name, value: expression(value) });
    } else if (word === 'refuse') {
      rows.push({ kind: 'refuse', test: ALWAYS, reason: rest });
    } else if (word === 'need') {
      rows.push({ kind: 'refuse', test: expression(`!(${rest})`), reason: `GGML_ASSERT(${rest}) failed` });
    } else {
      rows.push(...tensorRows(line));
    }
  }
  return rows;
}

function tensorRows(line: string): Row[] {
  const [, names = '', mark, condition, reshaped, dims = ''] = ROW.exec(line) ?? [];
  const set = SETS.get(names);
  if (set !== undefined) return parseRows(set.map((text) => filled(text, dims.split(', '), mark ?? '')));
  return names.split(' ').map((name) => ({
    kind: 'tensor',
    name: fullName(name),
    dims: dims.split(', ').map(expression),
    optional: mark === undefined ? NEVER : condition === undefined ? ALWAYS : expression(condition),
    reshaped: reshaped === '~',
  }));
}

/** A line of a set, with its numbers; what may be missing of the set may be missing of the line. */
function filled(text: string, numbers: readonly string[], mark: string): string {
  const marked = text.includes('?') ? text : text.replace(/:/, `${mark}:`);
  return marked.replace(/\$(\d)/g, (_, digit: string) => numbers[Number(digit) - 1] ?? '');
}

function expression(text: string): Expression {
  return parseExpression(
    text.replace(/(has|rows|dim\d)\(([^)]*)\)/g, (_, word: string, name: string) => `${word}(${fullName(name)})`),
  );
}

/** `.attn_q` is `blk.*.attn_q.weight`, `.ssm_a!` has no ending. */
function fullName(name: string): string {
  const ended = name.endsWith('!')
    ? name.slice(0, -1)
    : /\.(weight|bias|scale|lora_[ab])$/.test(name)
      ? name
      : `${name}.weight`;
  return ended.startsWith('.') ? `blk.*${ended}` : ended;
}

function endOfBlock(lines: readonly string[], at: number): number {
  let end = at + 1;
  while (end < lines.length && depth(lines[end]) > depth(lines[at])) end++;
  return end;
}

function depth(line = ''): number {
  return line.length - line.trimStart().length;
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
