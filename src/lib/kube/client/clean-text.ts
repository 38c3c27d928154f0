import { withoutSecrets } from '../../secrets.js';

/** What a terminal would act on, and what turns or hides text. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;
const SHORTEST_SECRET = 4;

/**
 * Text from a cluster or a plugin, fit for a terminal and for a log: on one line, without control characters, and
 * without anything that is known to be secret or looks like a credential.
 */
export function cleanText(text: string, secrets: readonly string[] = []): string {
  const known = secrets.filter((secret) => secret.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  const masked = known.reduce((masking, secret) => masking.replaceAll(secret, '***'), text);
  return withoutSecrets(masked).replace(CONTROL, ' ').trim();
}

/** The same for text that has lines, such as a refusal: each on a line of its own, with the blanks that it begins with. */
export function cleanLines(text: string): string {
  const lines = withoutSecrets(text)
    .split(/\r?\n/)
    .map((line) => `${/^ */.exec(line)?.[0] ?? ''}${cleanText(line)}`.trimEnd());
  return lines.filter((line) => line !== '').join('\n');
}

/** The same on one line. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/ {2,}/g, ' ');
}
