import { table } from '../../table.js';
import { UsageError } from '../../errors.js';
import { quotedWords, shellWord } from '../../shell-word.js';
import { nearest } from '../../nearest.js';
import { serverOption } from '../../runtime/options/server-options.js';
import { valueCount } from '../../runtime/options/option-names.js';
import { parseServerArguments } from '../../runtime/server-arguments.js';
import { isFalseWord, isTrueWord } from './values/boolean-words.js';

/** What of an oclif flag decides how its words are read. */
export interface FlagSpec {
  readonly type: string;
  readonly allowNo?: boolean | undefined;
  readonly char?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly multiple?: boolean | undefined;
  readonly env?: string | undefined;
  readonly exclusive?: readonly unknown[] | undefined;
  /** The only values that it takes. */
  readonly options?: readonly string[] | undefined;
}

type FlagSpecs = Readonly<Record<string, FlagSpec>>;

export interface CommandLine {
  /** Each flag once, in oclif's spelling; those that may be repeated as often as they were typed. */
  readonly words: readonly string[];
  /** The variable that a flag comes from, for those that were not typed. */
  readonly variables: ReadonlyMap<string, string>;
}

const EXTRA_ARGS = 'extra-args';
/** llama-server's options that name a model, and what stands before their value where it is named by itself. */
const MODEL_OPTIONS = table<string>({
  '-m': '',
  '--model': '',
  '-mu': '',
  '--model-url': '',
  '-hf': 'hf:',
  '-hfr': 'hf:',
  '--hf-repo': 'hf:',
});
/** What people and other programs call a flag. */
const OTHER_NAMES = table<string>({
  vram: 'gpu-memory',
  'gpu-ram': 'gpu-memory',
  ram: 'system-memory',
  memory: 'system-memory',
  'total-memory': 'system-memory',
  budget: 'memory-budget',
  backend: 'accelerator',
  device: 'accelerator',
  'max-model-len': 'ctx-size',
  'num-ctx': 'ctx-size',
  'kv-cache-type': 'cache-type-k',
});
/** Which of a model's files is read: the last of these counts. */
export const WHICH_FILE: readonly string[] = ['file', 'quantization'];

/**
 * A command line as its flags mean it: the last of a flag counts, as with llama-server, whose spellings (`-ngl`, `-ctk`)
 * are understood for the flags that are its options; booleans may have a value (`--wait=false`, `-fa on`); what was not
 * typed comes from the flag's environment variable.
 * @throws UsageError USAGE for a flag that there is not, or one without its value
 */
export function readCommandLine(
  argv: readonly string[],
  flags: FlagSpecs,
  env: Readonly<Record<string, string | undefined>>,
): CommandLine {
  const reader = new Reader(flags);
  const end = argv.indexOf('--');
  reader.read(end < 0 ? argv : argv.slice(0, end));
  const variables = reader.addVariables(env);
  return { words: [...reader.words(), ...(end < 0 ? [] : argv.slice(end))], variables };
}

interface Spelling {
  readonly name: string;
  readonly negated: boolean;
}

class Reader {
  readonly #flags: FlagSpecs;
  readonly #spellings: ReadonlyMap<string, Spelling>;
  readonly #arguments: string[] = [];
  /** Words of each flag, the last of it at the end. */
  readonly #given = new Map<string, readonly string[]>();

  constructor(flags: FlagSpecs) {
    this.#flags = flags;
    this.#spellings = spellingsOf(flags);
  }

  words(): readonly string[] {
    return [...this.#arguments, ...[...this.#given.values()].flat()];
  }

  read(argv: readonly string[]): void {
    const rest = [...argv];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
      if (!/^-[^\d]/.test(word) || word === '-') this.#arguments.push(word);
      else this.#readFlag(word, rest);
    }
  }

  #readFlag(word: string, rest: string[]): void {
    const equals = word.indexOf('=');
    const head = equals < 0 ? word : word.slice(0, equals);
    const spelled = this.#spelling(head);
    if (spelled !== undefined) return this.#take(spelled, head, equals < 0 ? undefined : word.slice(equals + 1), rest);
    const short = this.#spelling(word.slice(0, 2));
    if (short === undefined || word.startsWith('--'))
      throw this.#unknown(head, equals < 0 ? rest : [word.slice(equals + 1), ...rest]);
    const isSwitch = this.#flags[short.name]?.type === 'boolean';
    if (isSwitch) rest.unshift(`-${word.slice(2)}`);
    this.#take(short, word.slice(0, 2), isSwitch ? undefined : word.slice(2).replace(/^=/, ''), rest);
  }

  #spelling(word: string): Spelling | undefined {
    return this.#spellings.get(word.startsWith('--') ? word.replaceAll('_', '-') : word);
  }

  #take({ name, negated }: Spelling, typed: string, attached: string | undefined, rest: string[]): void {
    if (this.#flags[name]?.type === 'boolean') {
      const value = attached ?? (isValueOf(name, rest[0]) ? rest.shift() : undefined);
      return this.#switch(name, typed, negated, value);
    }
    const value = attached ?? rest.shift();
    if (value === undefined || (attached === undefined && name !== EXTRA_ARGS && this.#isFlag(value))) {
      const { options } = this.#flags[name] ?? {};
      const wanted = options === undefined ? 'a value' : `one of ${options.join(', ')}`;
      throw new UsageError('USAGE', `${typed} expects ${wanted}`, {
        suggestions: ['see the same command with --help'],
      });
    }
    this.#give(name, value);
  }

  #isFlag(word: string): boolean {
    return this.#spelling(word.split('=')[0] ?? word) !== undefined;
  }

  #switch(name: string, typed: string, negated: boolean, value: string | undefined): void {
    if (value === 'auto' && isValueOf(name, value)) {
      this.#given.delete(name);
      return;
    }
    if (value !== undefined && !isTrueWord(value) && !isFalseWord(value)) {
      throw new UsageError('USAGE', `${typed} is on or off, not "${value}"`);
    }
    this.#turn(name, (value === undefined || isTrueWord(value)) !== negated);
  }

  /** A false one that has no `--no-` form is left out, since false is its default. */
  #turn(name: string, on: boolean): void {
    this.#given.delete(name);
    if (on) this.#given.set(name, [`--${name}`]);
    else if (this.#flags[name]?.allowNo) this.#given.set(name, [`--no-${name}`]);
    else this.#given.set(name, []);
  }

  #give(name: string, value: string): void {
    if (WHICH_FILE.includes(name)) for (const other of WHICH_FILE) this.#given.delete(other);
    const before = (this.#flags[name]?.multiple && this.#given.get(name)) || [];
    this.#given.delete(name);
    // A blank in front keeps oclif from taking a value for one of its flags; splitting into words drops it again.
    this.#given.set(name, [...before, `--${name}`, name === EXTRA_ARGS && value.startsWith('-') ? ` ${value}` : value]);
  }

  addVariables(env: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
    const typed = new Set(this.#given.keys());
    const variables = new Map<string, string>();
    for (const [name, flag] of Object.entries(this.#flags)) {
      const value = flag.env === undefined ? undefined : env[flag.env];
      if (flag.env === undefined || !value || typed.has(name) || this.#isExcluded(name, typed)) continue;
      if (flag.type !== 'boolean') this.#give(name, value);
      else if (isTrueWord(value) || isFalseWord(value)) this.#turn(name, isTrueWord(value));
      else throw new UsageError('USAGE', `${flag.env} is on or off, not "${value}"`);
      variables.set(name, flag.env);
    }
    return variables;
  }

  /** A flag that was typed wins over a variable that contradicts it. */
  #isExcluded(name: string, typed: ReadonlySet<string>): boolean {
    const excludes = (one: string, other: string): boolean => this.#flags[one]?.exclusive?.includes(other) ?? false;
    return [...typed].some((other) => excludes(name, other) || excludes(other, name));
  }

  /** Those of llama-server's options among the words that are none of this command's, with their values, as a command line has them. */
  #serverOptions(words: readonly string[]): readonly string[] {
    return words.flatMap((word, at) => {
      const name = normalName(word);
      const count = valueCount(name);
      if (count === undefined || this.#isFlag(word) || MODEL_OPTIONS[name] !== undefined) return [];
      const values = words
        .slice(at + 1, at + 1 + count)
        .map((value) => (/^-[^\d]/.test(value) ? '…' : shellWord(value)));
      return [[name, ...values, ...Array<string>(count - values.length).fill('…')].join(' ')];
    });
  }

  /** @param rest what follows it, its value first where it has one */
  #unknown(head: string, rest: readonly string[]): UsageError {
    const [next] = rest;
    const normal = normalName(head);
    if (serverOption(normal)?.isRefused === true) parseServerArguments([normal, '']);
    if (EXTRA_ARGS in this.#flags && valueCount(normal) !== undefined) {
      const value = next === undefined || /^-[^\d]/.test(next) ? undefined : next;
      const asModel = MODEL_OPTIONS[normal];
      const others = this.#serverOptions([head, ...rest]);
      const suggestion =
        asModel === undefined
          ? `give ${others.length > 1 ? 'them' : 'it'} as --extra-args ${quotedWords(others.join(' '))}`
          : `name the model by itself: ${asModel}${value ?? 'MODEL'}`;
      return new UsageError('USAGE', `${head} is an option of llama-server's, not of this command`, {
        suggestions: [suggestion],
      });
    }
    const known = OTHER_NAMES[head.slice(2)];
    const meant =
      known !== undefined && known in this.#flags
        ? [`--${known}`]
        : nearest(
            head,
            [...this.#spellings.keys()].filter((spelling) => spelling.startsWith('--')),
          );
    return new UsageError('USAGE', `there is no flag ${head}`, {
      suggestions: meant.length > 0 ? [`did you mean ${meant.join(' or ')}?`] : ['see the same command with --help'],
    });
  }
}

function normalName(word: string): string {
  return word.startsWith('--') ? word.replaceAll('_', '-') : word;
}

/** A switch that is an option with a value to llama-server may have one here as well. */
function isValueOf(name: string, word: string | undefined): boolean {
  if (word === undefined || serverOption(`--${name}`)?.takesValue !== true) return false;
  return word === 'auto' || isTrueWord(word) || isFalseWord(word);
}

function spellingsOf(flags: FlagSpecs): ReadonlyMap<string, Spelling> {
  const spellings = new Map<string, Spelling>();
  for (const [name, { type, allowNo, char, aliases = [] }] of Object.entries(flags)) {
    const option = serverOption(`--${name}`);
    const positive = [...(option?.names ?? []), ...aliases.map((alias) => `--${alias}`)];
    for (const word of positive) spellings.set(word, { name, negated: false });
    const isSwitch = type === 'boolean' && allowNo === true;
    for (const word of (isSwitch && option?.off) || []) spellings.set(word, { name, negated: true });
    if (isSwitch) spellings.set(`--no-${name}`, { name, negated: true });
    if (char !== undefined) spellings.set(`-${char}`, { name, negated: false });
  }
  // A flag's own name is nobody else's.
  for (const name of Object.keys(flags)) spellings.set(`--${name}`, { name, negated: false });
  return spellings;
}
