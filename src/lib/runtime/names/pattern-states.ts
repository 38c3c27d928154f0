import type { PatternNode } from './pattern-parser.js';

/** Of a pattern that is repeated in itself; each takes some time for every character of every name. */
const MOST_STATES = 16_384;
/** Names have at most 63 characters, so what is there more often is there without any, and so any number of times. */
const MOST_TIMES = 64;

/** Where a search may be, and where it goes from there: past a character, or at once. */
type State =
  | { readonly kind: 'one'; readonly is: (character: string) => boolean; readonly next: number }
  | { readonly kind: 'any'; readonly next: readonly number[] }
  | { readonly kind: 'place'; readonly is: (name: string, at: number) => boolean; readonly next: number }
  | {
      readonly kind: 'look';
      readonly start: number;
      readonly isBehind: boolean;
      readonly isNot: boolean;
      readonly next: number;
    };

const END = 0;

/**
 * A regular expression as states, all of which a search is in at the same time (K. Thompson, "Regular Expression Search Algorithm", 1968): nothing
 * is tried twice.
 */
export class PatternStates {
  /** The first is the end. */
  readonly #states: State[] = [{ kind: 'any', next: [] }];
  readonly #start: number;

  /** @throws SyntaxError for more states than any pattern needs */
  constructor(pattern: PatternNode) {
    this.#start = this.#before(pattern, END);
  }

  test(name: string): boolean {
    const looks = new Map<number, boolean>();
    return this.#finds(name, { start: this.#start, from: undefined, to: undefined }, looks);
  }

  /** @returns the state that leads through `node` to `next` */
  #before(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'one':
        return this.#add({ kind: 'one', is: node.is, next });
      case 'place':
        return this.#add({ kind: 'place', is: node.is, next });
      case 'all':
        return node.of.reduceRight((behind, part) => this.#before(part, behind), next);
      case 'any':
        return this.#add({ kind: 'any', next: node.of.map((choice) => this.#before(choice, next)) });
      case 'look':
        return this.#add({ ...node, start: this.#before(node.of, END), next });
      case 'times':
        return this.#times(node, next);
    }
  }

  #times({ of, least, most }: Extract<PatternNode, { kind: 'times' }>, next: number): number {
    let start = next;
    if (most - least < MOST_TIMES) {
      for (let count = least; count < most; count++)
        start = this.#add({ kind: 'any', next: [this.#before(of, start), next] });
    } else {
      const loop: number[] = [next];
      start = this.#add({ kind: 'any', next: loop });
      loop.push(this.#before(of, start));
    }
    for (let count = Math.min(least, MOST_TIMES); count > 0; count--) start = this.#before(of, start);
    return start;
  }

  #add(state: State): number {
    if (this.#states.length >= MOST_STATES) throw new SyntaxError('too many repetitions');
    return this.#states.push(state) - 1;
  }

  /** Whether the end is reached, from one place in the name or any, at one place or any. */
  #finds(
    name: string,
    { start, from, to }: { readonly start: number; readonly from: number | undefined; readonly to: number | undefined },
    looks: Map<number, boolean>,
  ): boolean {
    let here: readonly number[] = [];
    for (let at = from ?? 0; at <= (to ?? name.length); at++) {
      const begins = from === undefined || at === from ? [...here, start] : here;
      const reached = this.#atOnce(begins, name, at, looks);
      if (reached.has(END) && (to === undefined || at === to)) return true;
      const character = name[at];
      if (character === undefined || reached.size === 0) break;
      here = [...reached].flatMap((number) => {
        const state = this.#states[number];
        return state?.kind === 'one' && state.is(character) ? [state.next] : [];
      });
    }
    return false;
  }

  /** All states that are reached without another character. */
  #atOnce(begins: readonly number[], name: string, at: number, looks: Map<number, boolean>): ReadonlySet<number> {
    const reached = new Set(begins);
    // Grows while it is gone through.
    for (const number of reached) {
      const state = this.#states[number];
      if (state?.kind === 'any') for (const next of state.next) reached.add(next);
      if (state?.kind === 'place' && state.is(name, at)) reached.add(state.next);
      if (state?.kind === 'look' && this.#sees(number, state, name, at, looks) !== state.isNot) reached.add(state.next);
    }
    return reached;
  }

  #sees(
    number: number,
    { start, isBehind }: Extract<State, { kind: 'look' }>,
    name: string,
    at: number,
    looks: Map<number, boolean>,
  ): boolean {
    const key = number * (name.length + 1) + at;
    const known = looks.get(key);
    if (known !== undefined) return known;
    const range = isBehind ? { from: undefined, to: at } : { from: at, to: undefined };
    const sees = this.#finds(name, { start, ...range }, looks);
    looks.set(key, sees);
    return sees;
  }
}
