import type { ArgInput, FlagInput, ParserOutput } from '@oclif/core/interfaces';

/** What a parser is told: the words, and what a command says of them. */
export interface ParserInput {
  readonly argv: string[];
  readonly args: ArgInput;
  readonly flags: FlagInput;
  readonly strict: boolean;
  /** The command, for parsers of its own. */
  readonly context: unknown;
}

type Flag = FlagInput[string];
type Arg = ArgInput[string];
type Token = ParserOutput['raw'][number];
type Metadata = ParserOutput['metadata'];
type Values = Record<string, unknown>;

/** A command line that oclif's own parser has to look at. */
class NotPlain extends Error {}

/**
 * A command line as `readCommandLine` writes it, arguments before flags, each flag once and in full: what oclif's parser makes of
 * it. Undefined for all that is not plain, above all for every mistake, about which oclif's parser is asked.
 */
export async function parsePlainly(input: ParserInput): Promise<ParserOutput | undefined> {
  try {
    const raw = tokensOf(input);
    const [{ args, argv }, { flags, metadata }] = [await argsOf(input, raw), await flagsOf(input.flags, input, raw)];
    refuseRelations(input.flags, flags, metadata);
    return { args, argv, flags: flags as ParserOutput['flags'], metadata, nonExistentFlags: [], raw };
  } catch {
    return undefined;
  }
}

function tokensOf({ argv, args, flags }: ParserInput): Token[] {
  for (const [name, flag] of Object.entries(flags)) flag.name = name;
  for (const [name, arg] of Object.entries(args)) arg.name = name;
  const names = Object.keys(args);
  const words = argv.values();
  const raw: Token[] = [];
  let count = 0;
  for (const word of words) {
    if (!word.startsWith('--')) {
      if (word.startsWith('-') && word !== '-') throw new NotPlain();
      raw.push({ arg: names[count++] as string, input: word, type: 'arg' });
      continue;
    }
    const flag = flags[word.slice(2)] ?? negated(flags, word);
    const value = flag.type === 'boolean' ? word : words.next().value;
    if (value === undefined || (flag.type !== 'boolean' && /^-\D/.test(value))) throw new NotPlain();
    raw.push({ flag: flag.name, input: value, type: 'flag' });
  }
  return raw;
}

function negated(flags: FlagInput, word: string): Flag {
  const flag = word.startsWith('--no-') ? flags[word.slice('--no-'.length)] : undefined;
  if (flag?.type !== 'boolean' || !flag.allowNo) throw new NotPlain();
  return flag;
}

async function argsOf(
  { args: specs, argv: words, context, strict }: ParserInput,
  raw: readonly Token[],
): Promise<{ args: Values; argv: unknown[] }> {
  const tokens = raw.filter(({ type }) => type === 'arg');
  const args: Values = {};
  const argv: unknown[] = [];
  for (const [index, [name, arg]] of Object.entries(specs).entries()) {
    const value = await argOf(arg, tokens[index]?.input, context);
    if (value === undefined) continue;
    args[name] = value;
    argv.push(value);
  }
  const further = tokens.slice(Object.keys(specs).length);
  if (strict && further.length > 0) throw new NotPlain();
  argv.push(...further.map(({ input }) => input));
  return { args, argv: argv.sort((a, b) => words.indexOf(a as string) - words.indexOf(b as string)) };
}

async function argOf(arg: Arg, input: string | undefined, context: unknown): Promise<unknown> {
  if (arg.multiple || typeof arg.default === 'function') throw new NotPlain();
  if (input !== undefined && !(arg.options && !arg.options.includes(input))) {
    return arg.parse(input, context as never, arg as never);
  }
  if (input !== undefined || !arg.ignoreStdin || arg.required) throw new NotPlain();
  return arg.default || undefined;
}

async function flagsOf(
  specs: FlagInput,
  { context }: ParserInput,
  raw: readonly Token[],
): Promise<{ flags: Values; metadata: Metadata }> {
  const flags: Values = {};
  const metadata: Metadata = { flags: {} };
  for (const [name, flag] of Object.entries(specs)) {
    const inputs = raw.flatMap((token) => (token.type === 'flag' && token.flag === name ? [token.input] : []));
    const isTyped = inputs.length > 0;
    const value = isTyped ? await valueOf(flag, inputs, context) : defaultOf(flag);
    if (!isTyped && (flag.type === 'boolean' || flag.env || flag.default !== undefined))
      metadata.flags[name] = { setFromDefault: true };
    if (value !== undefined) flags[name] = value;
    else if (flag.required) throw new NotPlain();
  }
  return { flags, metadata };
}

async function valueOf(flag: Flag, inputs: readonly string[], context: unknown): Promise<unknown> {
  if (flag.type === 'boolean') return flag.parse(!inputs.at(-1)?.startsWith('--no-'), context as never, flag as never);
  if (flag.delimiter || (!flag.multiple && inputs.length > 1)) throw new NotPlain();
  if (inputs.some((input) => flag.options && !flag.options.includes(input))) throw new NotPlain();
  const values: unknown[] = [];
  for (const input of inputs) values.push(await flag.parse(input, context as never, flag as never));
  return flag.multiple ? values : values[0];
}

/** `readCommandLine` has written variables that are set as flags; what oclif would still take from one is not plain. */
function defaultOf({ default: value, env }: Flag): unknown {
  if (typeof value === 'function' || (env && process.env[env])) throw new NotPlain();
  return value;
}

const RELATIONS = ['exactlyOne', 'atLeastOne', 'relationships', 'combinable'] as const;

/** `validate` of oclif's parser. */
function refuseRelations(specs: FlagInput, flags: Values, { flags: metadata }: Metadata): void {
  const isTyped = (name: unknown): boolean => flags[name as string] !== undefined && !metadata[name as string];
  for (const [name, flag] of Object.entries(specs)) {
    if (RELATIONS.some((relation) => relation in flag)) throw new NotPlain();
    if (flags[name] === undefined) continue;
    if (flag.dependsOn?.some((other) => flags[other as string] === undefined)) throw new NotPlain();
    if (isTyped(name) && flag.exclusive?.some(isTyped)) throw new NotPlain();
  }
}
