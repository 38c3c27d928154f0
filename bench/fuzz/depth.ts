/** What came of one input. */
export type Outcome =
  | { readonly kind: 'answered' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'wrong'; readonly how: string };

/** How far the inputs of one subject come: those that are all refused for one reason try little. */
export class Depth {
  #answered = 0;
  readonly #refused = new Map<string, number>();

  constructor(private readonly name: string) {}

  count(outcome: Outcome): void {
    if (outcome.kind === 'answered') this.#answered++;
    if (outcome.kind === 'refused') this.#refused.set(outcome.code, (this.#refused.get(outcome.code) ?? 0) + 1);
  }

  toString(): string {
    const refused = [...this.#refused].sort(([, a], [, b]) => b - a).map(([code, count]) => `${count} ${code}`);
    return `  ${this.name}: ${[`${this.#answered} answered`, ...refused].join(', ')}`;
  }
}
