import { jsonText, safeOutput } from '../../../src/lib/printable.js';
import { Finding } from '../subject.js';

// eslint-disable-next-line no-control-regex -- how colours look on a terminal
const COLOUR = /\u001b\[[0-9;]*m/g;
const ACTING = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** What a command prints, as it leaves the program. */
export function printed(text: string): void {
  if (ACTING.test(safeOutput(text).replace(COLOUR, ''))) throw new Finding('a control character would be printed');
}

/** The same for what is printed with `--json`. */
export function printedAsJson(value: unknown): void {
  const text = jsonText(value);
  if (ACTING.test(text)) throw new Finding('a control character would be in the JSON');
  JSON.parse(text);
}
