import type { Random } from './random.js';

/** JSON with one to three of its values replaced by what should not be there, taken away, or given twice. */
export function changedValues(value: unknown, random: Random): unknown {
  let changed = value;
  for (let changes = 1 + random.int(3); changes > 0; changes--) changed = changedSomewhere(changed, random);
  return changed;
}

function changedSomewhere(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0 && random.int(8) > 0) {
    const at = random.int(value.length);
    if (random.int(8) === 0) return [...value, ...value];
    return value.map((item, index) => (index === at ? changedSomewhere(item, random) : (item as unknown)));
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && random.int(8) > 0) {
    const entries = Object.entries(value);
    const chosen = random.int(entries.length);
    const what = random.int(8);
    if (what === 0) return Object.fromEntries(entries.filter((_, index) => index !== chosen));
    if (what === 1) return Object.fromEntries([...entries, [odd(random, 'constructor'), odd(random, value)]]);
    return Object.fromEntries(
      entries.map(([key, item]) =>
        key === entries[chosen]?.[0] ? [key, changedSomewhere(item, random)] : [key, item],
      ),
    );
  }
  return odd(random, value);
}

function odd(random: Random, near: unknown): unknown {
  return random.pick<() => unknown>([
    () => null,
    () => [],
    () => ({}),
    () => '',
    () => [null],
    () => true,
    () => random.oddNumber(typeof near === 'number' ? near : 0),
    () => 1e308,
    () => -0.5,
    () => 'constructor',
    () => '__proto__',
    () => `${String(near)}\u001b[2J\u202e`,
    () => 'x'.repeat(random.int(5000)),
    () => [near, near],
    () => ({ near }),
  ])();
}
