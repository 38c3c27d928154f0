import { withoutSecrets } from '../../printable.js';

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
