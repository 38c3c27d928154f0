import { Command } from '@oclif/core/command';
import type { Input, ParserOutput } from '@oclif/core/interfaces';
import { readCommandLine, type FlagSpec } from './flags/command-line.js';
import { refuseContradictions } from './flags/contradictions.js';
import { flagError } from './flags/flag-errors.js';
import { asFailure, renderFailure, type OclifError } from './terminal/render-failure.js';
import { folded } from './terminal/terminal-width.js';
import { printExactly, printJson, printLine, printNotice, printOut, printPieces } from './terminal/out.js';
import { endWhereOutputFails } from './terminal/output-failure.js';

endWhereOutputFails();

type Output = Record<string, unknown>;

const JSON_FLAG = { json: { type: 'boolean' } } as const;

/**
 * Repairs what oclif 4 gets wrong for scripts: an error keeps its exit code with `--json`, its JSON is
 * `{error: {code, message, suggestions}}`, its text is plain lines on stderr, and a stack is shown only with `DEBUG`.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;
  /** The environment variable of each flag that was said by one, once the command line has been read. */
  protected variables: ReadonlyMap<string, string> = new Map();
  #isJson: boolean | undefined;

  /**
   * As people type: the last of a flag counts, an environment variable where none is typed, and what is wrong is one line.
   * @throws UsageError
   */
  protected override async parse<F extends Output, B extends Output, A extends Output>(
    options?: Input<F, B, A>,
    argv: string[] = this.argv,
  ): Promise<ParserOutput<F, B, A>> {
    const own = options ?? (this.ctor as unknown as Input<F, B, A>);
    const specs = { ...JSON_FLAG, ...own.baseFlags, ...own.flags } as Readonly<Record<string, FlagSpec>>;
    const { words, variables } = readCommandLine(argv, specs, process.env);
    this.variables = variables;
    try {
      const parsed = await super.parse(options, [...words]);
      await refuseContradictions(parsed.flags, variables);
      return parsed;
    } catch (error) {
      throw flagError(error, variables);
    }
  }

  /** For what is made of flags later: an error names the variable where a flag was not typed. @throws UsageError */
  protected said<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw flagError(error, this.variables);
    }
  }

  protected override async catch(error: OclifError): Promise<void> {
    if (error.code === 'EEXIT') throw error;
    const failure = asFailure(error);
    process.exitCode = failure.exitCode;
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(error));
    else printNotice(renderFailure(failure).trimEnd());
    if (process.env.DEBUG && error.stack) printLine(error.stack);
  }

  protected override toErrorJson(error: unknown): unknown {
    const { code, message, suggestions } = asFailure(error as OclifError);
    return { error: { code, message, suggestions } };
  }

  /** As oclif runs it, once its configuration is there. */
  start(): Promise<unknown> {
    return this._run();
  }

  /** Asked before each line that is printed, of which a long catalogue has thousands. */
  override jsonEnabled(): boolean {
    return (this.#isJson ??= super.jsonEnabled());
  }

  /** For people, on stdout: broken between words on a terminal. */
  override log(text = ''): void {
    if (!this.jsonEnabled()) printOut(folded(text, process.stdout));
  }

  /** A long table, in pieces of whole lines. */
  protected async logPieces(pieces: Iterable<string>): Promise<void> {
    if (!this.jsonEnabled()) await printPieces(map(pieces, (piece) => folded(piece, process.stdout)));
  }

  /** Nothing, for a command that has printed its own lines. */
  override logJson(value: unknown): void {
    if (value !== undefined) printJson(value);
  }

  /** What another program reads to the letter, such as a manifest. */
  protected write(text: string): void {
    if (!this.jsonEnabled()) printExactly(text);
  }

  /** A notice for people, on stderr; with `--json` the same text belongs in the object's `warnings`. */
  protected notice(text: string): void {
    if (!this.jsonEnabled()) printNotice(text);
  }
}

function* map(pieces: Iterable<string>, change: (piece: string) => string): Generator<string> {
  for (const piece of pieces) yield change(piece);
}
