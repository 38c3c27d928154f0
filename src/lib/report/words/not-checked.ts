import { harmless, printable } from '../../printable.js';

export interface NotChecked {
  readonly model: string;
  readonly code: string;
  readonly reason: string;
}

/** Models of which one thing is said; the table beside it has all of them. */
const MOST_NAMED = 20;

/** Why models were not checked, a line a reason, however many it is true of. */
export function notCheckedLines(models: readonly NotChecked[]): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { model, code, reason } of models) {
    // A reason ends with its cause and what to do; long addresses in it are cut already. Offline, the advice for one model would be repeated for each.
    const why = code === 'SOURCE_OFFLINE' ? 'header neither bundled nor in the cache' : harmless(reason);
    const before = byReason.get(why);
    if (before === undefined) byReason.set(why, [model]);
    else before.push(model);
  }
  return [...byReason].map(([why, names]) => `Not checked: ${named(names)}: ${why}`);
}

function named(models: readonly string[]): string {
  const names = models.slice(0, MOST_NAMED).map((model) => printable(model));
  const more = models.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
