import { Command } from '@oclif/core/command';
import { shieldExtraArgs } from './flags/extra-args.js';
import { asFailure, renderFailure, type OclifError } from './terminal/failure.js';

/**
 * Repairs what oclif 4 gets wrong for scripts: an error keeps its exit code with `--json`, its JSON is
 * `{error: {code, message, suggestions}}`, its text is plain lines on stderr, and a stack is shown only with `DEBUG`.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  protected override async init(): Promise<void> {
    await super.init();
    this.argv = shieldExtraArgs(this.argv);
  }

  protected override async catch(error: OclifError): Promise<void> {
    if (error.code === 'EEXIT') throw error;
    const failure = asFailure(error);
    process.exitCode = failure.exitCode;
    if (this.jsonEnabled()) this.logJson(this.toErrorJson(error));
    else process.stderr.write(renderFailure(failure));
    if (process.env.DEBUG && error.stack) process.stderr.write(`${error.stack}\n`);
  }

  protected override toErrorJson(error: unknown): unknown {
    const { code, message, suggestions } = asFailure(error as OclifError);
    return { error: { code, message, suggestions } };
  }

  /** As oclif runs it, once its configuration is there. */
  start(): Promise<unknown> {
    return this._run();
  }

  /** A notice for people, on stderr; with `--json` the same text belongs in the object's `warnings`. */
  protected notice(text: string): void {
    if (!this.jsonEnabled()) process.stderr.write(`${text}\n`);
  }
}
