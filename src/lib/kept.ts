/** Adds to a list that holds no more than `most`: the first one goes for it. */
export function keepLast<T>(list: T[], one: T, most: number): void {
  if (list.length === most) list.shift();
  list.push(one);
}

/** What was worked out once for an owner by some key, for as long as the owner is there. */
export class Kept<Owner extends object, Value> {
  readonly #byOwner = new WeakMap<Owner, Map<string, Value>>();

  /** The same as before, or else what is made now. */
  of(owner: Owner, key: string, make: () => Value): Value {
    let known = this.#byOwner.get(owner);
    if (!known) this.#byOwner.set(owner, (known = new Map()));
    if (!known.has(key)) known.set(key, make());
    return known.get(key) as Value;
  }
}
