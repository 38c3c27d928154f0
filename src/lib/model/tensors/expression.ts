/** What the words of an expression stand for: a number, of one layer where one is named (`n_ff[i]`). */
export interface Scope {
  valueOf(name: string, ofLayer: boolean): number;
  /** The shape of a tensor of the file, row length first, undefined where it has none; `blk.*.` stands for the layer. */
  shapeOf(name: string): readonly number[] | undefined;
}

export type Expression = (scope: Scope) => number;

/** Binary operators, those that bind loosest first; as in C, with whole numbers. */
const LEVELS: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  { '||': (a, b) => Number(a !== 0 || b !== 0) },
  { '&&': (a, b) => Number(a !== 0 && b !== 0) },
  { '==': (a, b) => Number(a === b), '!=': (a, b) => Number(a !== b) },
  {
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => Math.trunc(a / b), '%': (a, b) => a % b },
];

const TOKEN = /\s*((?:has|rows|dim\d)\([^)]*\)|\w+|\|\||&&|[=!<>]=|[-+*/%<>!?:(),[\]])/y;

/** An expression as llama.cpp's loaders write them: `n_ff_exp ? n_ff_exp : n_ff / n_expert_used`. */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  return parser.whole();
}

class Parser {
  readonly #tokens: string[] = [];
  readonly #text: string;
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) this.#tokens.push(match[1] ?? '');
    if (this.#tokens.join('').length !== text.replace(/\s/g, '').length) this.#fail();
  }

  whole(): Expression {
    const expression = this.#choice();
    return this.#next === this.#tokens.length ? expression : this.#fail();
  }

  #choice(): Expression {
    const test = this.#binary(0);
    if (!this.#take('?')) return test;
    const yes = this.#choice();
    this.#expect(':');
    const no = this.#choice();
    return (scope) => (test(scope) !== 0 ? yes(scope) : no(scope));
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#single();
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = this.#tokens[this.#next] ?? '';
      const apply = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
      if (apply === undefined) return left;
      this.#next++;
      const [a, b] = [left, this.#binary(level + 1)];
      left = (scope) => apply(a(scope), b(scope));
    }
  }

  #single(): Expression {
    if (this.#take('!')) {
      const negated = this.#single();
      return (scope) => Number(negated(scope) === 0);
    }
    if (this.#take('(')) {
      const inner = this.#choice();
      this.#expect(')');
      return inner;
    }
    return this.#word();
  }

  #word(): Expression {
    const word = this.#tokens[this.#next++] ?? '';
    const [, question, tensor = ''] = /^(has|rows|dim\d)\((.*)\)$/.exec(word) ?? [];
    if (question === 'has') return (scope) => Number(scope.shapeOf(tensor) !== undefined);
    const dim = question === 'rows' ? 1 : Number(question?.slice('dim'.length));
    if (question !== undefined) return (scope) => scope.shapeOf(tensor)?.[dim] ?? 1;
    if (/^\d+$/.test(word)) return () => Number(word);
    if (!/^[A-Za-z_]\w*$/.test(word)) this.#fail();
    const ofLayer = this.#take('[');
    if (ofLayer) {
      this.#expect('i');
      this.#expect(']');
    }
    return (scope) => scope.valueOf(word, ofLayer);
  }

  #take(token: string): boolean {
    const found = this.#tokens[this.#next] === token;
    if (found) this.#next++;
    return found;
  }

  #expect(token: string): void {
    if (!this.#take(token)) this.#fail();
  }

  #fail(): never {
    throw new Error(`"${this.#text}" is not an expression`);
  }
}
