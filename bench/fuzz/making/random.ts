/** Numbers that a seed decides: xorshift with 32 bits, from a seed that is mixed, since seeds that follow each other begin alike. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = mixed(seed) || 1;
  }

  /** From 0 up to, not including, `below`. */
  int(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('nothing to pick from');
    return items[this.int(items.length)] as T;
  }

  /** A whole number as headers hold them when something is wrong: at a limit, near another, or anything. */
  oddNumber(near = 0): number {
    return this.pick([
      0,
      1,
      -1,
      near + 1,
      near - 1,
      near * 2,
      255,
      256,
      512,
      513,
      2 ** 31,
      2 ** 32 - 1,
      this.int(2 ** 32),
    ]);
  }

  /** Text with a part of it changed, left out or repeated. */
  damaged(text: string): string {
    const [at, length] = [this.int(text.length + 1), this.int(12)];
    const inserted = this.pick([
      '',
      '[',
      '{',
      '&a ',
      '*a',
      '\u001b[2J',
      '"',
      ': ',
      '\n',
      '\u0000',
      '9'.repeat(20),
      'constructor',
      '__proto__',
      '{{{{{{{{',
      '\u202e',
      '!!js/function ',
      '<<: *a',
    ]);
    const repeated = this.int(8) === 0 ? text.slice(at, at + 200).repeat(this.int(20)) : '';
    return text.slice(0, at) + inserted + repeated + text.slice(at + length);
  }
}

/** Murmur3's last step, with 32 bits: any bit of the seed changes each with even odds. */
function mixed(seed: number): number {
  let bits = (seed ^ 0x9e3779b9) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
