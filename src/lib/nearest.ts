const MOST = 3;
/** File systems and hubs have no longer names; nobody means one by anything longer. */
const LONGEST = 255;
/** Pairs of characters that are compared in all, in a tenth of a second; names from outside may be many, and long. */
const MOST_COMPARED = 10_000_000;

/** The names that someone who typed `typed` may have meant, most likely first; at most three, of as many as are compared in no time. */
export function nearest(typed: string, names: readonly string[]): readonly string[] {
  if (typed.length > LONGEST) return [];
  const wanted = typed.toLowerCase();
  return (
    comparable(wanted.length, names)
      .map((name) => ({ name, distance: distance(wanted, name.toLowerCase()) }))
      .filter(({ distance }) => distance <= Math.max(2, Math.floor(wanted.length / 3)))
      // Two short words are few edits apart without a letter in common.
      .filter(({ name, distance }) => distance < Math.max(wanted.length, name.length))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, MOST)
      .map(({ name }) => name)
  );
}

function comparable(typedLength: number, names: readonly string[]): readonly string[] {
  let compared = 0;
  return names.filter(({ length }) => length <= LONGEST && (compared += (typedLength + 1) * length) <= MOST_COMPARED);
}

/** Single-character edits between two names, a swap of neighbours counting as one; what was typed as the start of a name counts as one. */
function distance(typed: string, name: string): number {
  if (typed.length >= 3 && name.startsWith(typed)) return 1;
  let previous = Array.from({ length: name.length + 1 }, (_, column) => column);
  let beforeThat = previous;
  for (const [row, character] of [...typed].entries()) {
    const current = [row + 1];
    for (let column = 1; column <= name.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (name[column - 1] === character ? 0 : 1);
      const shifted = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1;
      const isSwapped = typed[row - 1] === name[column - 1] && character === name[column - 2];
      const swapped = isSwapped ? (beforeThat[column - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(replaced, shifted, swapped));
    }
    [beforeThat, previous] = [previous, current];
  }
  return previous.at(-1) ?? typed.length;
}
