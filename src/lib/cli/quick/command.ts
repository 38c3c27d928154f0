import type { ArgInput, FlagInput, Input, ParserOutput } from '@oclif/core/interfaces';
import { boolean } from './flags.js';

/** What a command asks of oclif's configuration. */
export interface QuickConfig {
  readonly version: string;
  readonly cacheDir: string;
}

type Values = Record<string, unknown>;

/** Stands for oclif's `Command` in the quick start: what `BaseCommand` takes from it. */
export abstract class Command {
  static id: string;
  static enableJsonFlag = false;
  static strict = true;
  static args: ArgInput = {};
  static flags: FlagInput = {};
  static baseFlags: FlagInput = {};

  constructor(
    protected argv: string[],
    protected readonly config: QuickConfig,
  ) {}

  abstract run(): Promise<unknown>;
  protected abstract catch(error: unknown): Promise<void>;
  protected abstract logJson(value: unknown): void;

  get ctor(): typeof Command {
    return this.constructor as typeof Command;
  }

  /** @see `BaseCommand.start` */
  protected async _run(): Promise<unknown> {
    let result: unknown;
    try {
      result = await this.run();
    } catch (error) {
      await this.catch(error);
    }
    if (result && this.jsonEnabled()) this.logJson(result);
    return result;
  }

  jsonEnabled(): boolean {
    if (!this.ctor.enableJsonFlag) return false;
    if (process.env.LLMKUBE_CONTENT_TYPE?.toLowerCase() === 'json') return true;
    const end = this.argv.indexOf('--');
    return (end < 0 ? this.argv : this.argv.slice(0, end)).includes('--json');
  }

  protected async parse<F extends Values, B extends Values, A extends Values>(
    options: Input<F, B, A>,
    argv: string[],
  ): Promise<ParserOutput<F, B, A>> {
    const { args = {}, flags = {}, baseFlags = {}, enableJsonFlag, strict } = options as Input<Values, Values, Values>;
    this.argv = [...argv];
    const { parse } = await import('@oclif/core/parser');
    return parse(argv, {
      args,
      flags: { ...(enableJsonFlag && { json: boolean() }), ...baseFlags, ...flags },
      strict: strict !== false,
      context: this,
    } as never);
  }
}
