/** What names end with whose value is secret, however they begin: `refresh_token`, `clientSecret`, `AWS_SECRET_ACCESS_KEY`. */
const NAME =
  '(?:token|secret|password|passwd|passphrase|pwd|(?:api|access|account|private|secret|signing)[_-]?key|key-data|assertion)';

/** What follows a name in a complaint about it, after a colon or an option: "cannot fetch token: 401 Unauthorized". */
const COMPLAINT = [
  '[1-5]\\d\\d|a|an|and|are|authentication|authorization|bad|basic|bearer|can|cannot|connection|context|could|denied|dial|does|EOF|error',
  'exec|executable|exit|expected|expired|failed|failure|flag|for|forbidden|from|get|has|http|in|incorrect|invalid|is|it|malformed|may',
  'missing|must|no|none|not|null|oauth2|of|open|option|or|permission|post|refused|rejected|request|required|revoked|rpc|server',
  'should|signature|status|the|this|timeout|to|unable|unauthorized|undefined|unexpected|unknown|unsupported|was|wrong|x509|you|your',
].join('|');

const QUOTE = '\\\\?["\']';
const QUOTED = `\\\\"[^"]*(?:"|$)|"(?:[^"\\\\]|\\\\.)*(?:"|$)|'[^']*(?:'|$)`;
const UNLESS_COMPLAINT = `(?!(?:${COMPLAINT})[:.,;!)]*(?:\\s|$))`;
const END = '(?![\\w-])';

const ASSIGNED = new RegExp(`(${NAME}(?:${QUOTE})?[ \\t]*=>?[ \\t]*)(?:${QUOTED}|[^\\s"']\\S*)`, 'gi');
const SAID = new RegExp(`(${NAME}(?:${QUOTE})?[ \\t]*:[ \\t]*)(?:${QUOTED}|${UNLESS_COMPLAINT}[^\\s"']\\S*)`, 'gi');
const QUOTED_AFTER = new RegExp(`(${NAME}${END}[ \\t]+)(?:${QUOTED})`, 'gi');
const OPTION = new RegExp(
  `(--?(?:[a-z][\\w-]{0,63}?)??${NAME}${END}(?:(?:${QUOTE})[ \\t]*,?[ \\t]*|[ \\t]+))(?:${QUOTED}|${UNLESS_COMPLAINT}(?!-)[^\\s"',]\\S*)`,
  'gi',
);

/**
 * Text that a foreign program complains with, where a name that says so is followed by a secret: `token=…`, `password: …`, `--token …`,
 * `refresh_token "…"`. Not for text of our own, in which "token" is a word like any other.
 */
export function withoutNamedSecrets(text: string): string {
  return [ASSIGNED, SAID, QUOTED_AFTER, OPTION].reduce((masking, rule) => masking.replace(rule, '$1***'), text);
}
