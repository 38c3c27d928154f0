import { printable } from '../../printable.js';

/** More models than these are counted, not named. */
const MOST_NAMES = 3;

/** What is to be said of several checks, each once, however many it is true of; of all of them where no model is named. */
export function sharedNotes(
  checks: readonly { readonly model: string; readonly verdict: { readonly warnings: readonly string[] } }[],
): readonly string[] {
  const models = new Map<string, string[]>();
  for (const { model, verdict } of checks) {
    for (const warning of verdict.warnings) {
      const names = models.get(warning);
      if (names === undefined) models.set(warning, [printable(model)]);
      else names.push(printable(model));
    }
  }
  return [...models].map(([warning, names]) => {
    if (names.length === checks.length && names.length > 1) return `Note: ${warning}`;
    return `Note: ${names.length > MOST_NAMES ? `${names.length} models` : names.join(', ')}: ${warning}`;
  });
}
