/** Options of llama-server whose value is a secret. */
const SECRET_OPTIONS: ReadonlySet<unknown> = new Set(['--api-key', '--hf-token', '-hft', '--connect-code']);
const OPTIONS = [...SECRET_OPTIONS].join('|');

/**
 * What stands in an address behind a name that says nothing secret: of hubs, of stores, of the Kubernetes API. Everything else may be a
 * token, a signature or a session, whatever it is called.
 */
const HARMLESS: ReadonlySet<string> = new Set(
  [
    'alt allowwatchbookmarks author blobs download dryrun expand fieldmanager fieldselector fieldvalidation file filename filepath',
    'filter force format full inline labelselector library limit path raw recursive ref resourceversion rev revision root search',
    'show_file_info sort timeoutseconds version watch',
  ].flatMap((line) => line.split(' ')),
);

type Rule = readonly [RegExp, string | ((found: string) => string)];

/** What an address ends with: a blank, or what is written around it. */
const ADDRESS = /\b(?:[a-z][a-z0-9+.-]{0,30}:\/\/|(?:hf|ms|ollama|lmstudio|huggingface):)[^\s"'<>`]+/gi;
/** `USER:PASSWORD@` behind a scheme, with or without slashes; a digest of an image is none. */
const LOGIN =
  /(\b[a-z][a-z0-9+.-]{0,30}:(?:\/\/)?)[^/\s@?#"'<>\\`]{1,1024}@(?!sha\d{3}:)(?:[^/?#\s"'<>,@]{0,1024}@)*/gi;
/** In what only looks like a part of an address, such as a pattern, nothing else is hidden. */
const SECRET_NAME =
  /([?&](?:[\w.-]{0,64}(?:token|secret|signature|password|passwd|pwd|key|credential|auth|session|jwt)[\w.-]{0,64}|sig|sas|code|x-(?:amz|goog|ms)-[\w-]{1,64})=)[^&\s"'<>#]+/gi;

const RULES: readonly Rule[] = [
  [/\b(Bearer|Basic)\s+[\w+/=.~-]{6,}/gi, '$1 ***'],
  [/\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*/g, '***'],
  // Tokens of the hub are random; `hf_downloads` is a folder.
  [/\bhf_(?=[a-z]{0,15}[A-Z0-9]|[a-z]{16})[A-Za-z0-9]{8,}/g, '***'],
  [LOGIN, '$1***@'],
  [ADDRESS, (address) => withoutQuery(address).replace(/#[^)\]},;]+/, '#***')],
  [SECRET_NAME, '$1***'],
  [new RegExp(`(["'])((?:${OPTIONS})=)(?:(?!\\1).)*\\1`, 'g'), '$1$2***$1'],
  // As words of a shell, of JSON, or of a YAML list.
  [
    new RegExp(
      `((?:^|[\\s"'[,])(?:${OPTIONS})(?:["']?(?:=|[ \\t]+|\\n[ \\t]*- )|["']\\s*,\\s*(?=["'])))("[^"]*"|'[^']*'|[^\\s"',\\]]+)`,
      'g',
    ),
    '$1***',
  ],
  // But for a shell's reference to a variable, which says nothing.
  [
    /\b([A-Z][A-Z0-9_]{0,64}(?:TOKEN|SECRET|PASSWORD|API_KEY|ACCESS_KEY)=)(?!"?\$\{[A-Z_]{1,64}:\?\}(?:["'\s]|$))("[^"]*"|'[^']*'|[^\s"']+)/g,
    '$1***',
  ],
];

/** What every text with a secret has somewhere; nearly all texts have nothing of it. */
const SUSPICIOUS = new RegExp(
  `bearer|basic|eyJ|hf_|:\\/\\/|=|@|(?:hf|ms|ollama|lmstudio|huggingface):|${OPTIONS}`,
  'i',
);

/** Text without what is known to be secret in it, or may be: logins, queries and fragments in addresses, keys of llama-server, credentials. */
export function withoutSecrets(text: string): string {
  if (!SUSPICIOUS.test(text)) return text;
  return RULES.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement as string), text);
}

/** The words of a command without its secrets, each of which may be a word of its own. */
export function wordsWithoutSecrets(words: readonly string[]): readonly string[] {
  return words.map((word, index) => wordWithoutSecrets(word, words[index - 1]));
}

/** @param before the word in front of it */
export function wordWithoutSecrets(word: string, before: unknown): string {
  return SECRET_OPTIONS.has(before) ? '***' : withoutSecrets(word);
}

/** Without values whose name may say something secret, and pieces without a name that are none themselves, as in `?download`. */
function withoutQuery(address: string): string {
  return address.replace(
    /\?([^#]*)/,
    (_found, query: string) => `?${query.split('&').map(pieceWithoutValue).join('&')}`,
  );
}

function pieceWithoutValue(piece: string): string {
  const [name = ''] = piece.split('=', 1);
  if (piece === '' || HARMLESS.has(name.toLowerCase())) return piece;
  return name === piece ? '***' : `${name}=***`;
}
