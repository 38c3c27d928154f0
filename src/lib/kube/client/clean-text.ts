const BEARER = /\b(Bearer|Basic)\s+[\w+/=.~-]{6,}/gi;
const JSON_WEB_TOKEN = /\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*/g;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s:@]+:[^/\s@]+@/gi;
const URL_TOKEN = /([?&][\w.-]*(?:token|secret|signature|sig|password|key|credential)[\w.-]*=)[^&\s"']+/gi;
// eslint-disable-next-line no-control-regex -- what a terminal would act on
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g;
const SHORTEST_SECRET = 4;

/**
 * Text from a cluster or a plugin, fit for a terminal and for a log: on one line, without control characters, and
 * without anything that is known to be secret or looks like a credential.
 */
export function cleanText(text: string, secrets: readonly string[] = []): string {
  const known = secrets.filter((secret) => secret.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  const masked = known.reduce((masking, secret) => masking.replaceAll(secret, '***'), text);
  return masked
    .replace(BEARER, '$1 ***')
    .replace(JSON_WEB_TOKEN, '***')
    .replace(URL_PASSWORD, '$1***@')
    .replace(URL_TOKEN, '$1***')
    .replace(CONTROL, ' ')
    .trim();
}
