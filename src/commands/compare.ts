import { BaseCommand } from '../lib/cli/base-command.js';
import { checkDependencies } from '../lib/cli/check-command.js';
import { checkRequest } from '../lib/cli/check-request.js';
import { launchFlags } from '../lib/cli/flags/launch-flags.js';
import { budgetFlags } from '../lib/cli/flags/machine-flags.js';
import { modelArg, modelFlags } from '../lib/cli/flags/model-flags.js';
import { terminalWidth } from '../lib/cli/terminal/terminal-width.js';
import { UsageError } from '../lib/errors.js';
import { checkMemory, type CheckDependencies } from '../lib/preflight/check-memory.js';
import { largestOf } from '../lib/preflight/survey.js';
import { checkJson } from '../lib/report/json/check-json.js';
import { sharedNotes } from '../lib/report/words/shared-notes.js';
import { compareText, type Compared } from '../lib/report/text/compare-text.js';

export default class Compare extends BaseCommand {
  static override args = { model: modelArg };
  static override description = `Checks several models for the same machine with the same options, and shows them side by side.

Exit codes: 0 every model was checked, whether or not it fits, 2 usage, 3 one could not be checked.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b gemma-3-27b gpt-oss-20b',
    '<%= config.bin %> <%= command.id %> llama-3.1-8b phi-4 --accelerator metal --system-memory 24Gi --in-use 4Gi --ctx-size 16384',
  ];
  static override flags = { ...launchFlags, ...budgetFlags, ...modelFlags };
  static override strict = false;
  static override summary = 'show what several models take, side by side';
  static override usage = '<%= command.id %> MODEL MODEL... [FLAGS]';

  async run(): Promise<Record<string, unknown>> {
    const { argv, flags } = await this.parse(Compare);
    const models = argv.map(String);
    if (models.length < 2) {
      throw new UsageError(
        'TOO_FEW_MODELS',
        `only ${models.length} model was given, and there is nothing to compare it with`,
        {
          suggestions: ['name two models or more'],
        },
      );
    }
    const { catalog, offline } = flags;
    const surroundings = {
      config: this.config,
      catalog,
      offline,
      readingMs: flags['read-timeout'],
      quiet: this.jsonEnabled(),
    };
    const dependencies: CheckDependencies = { ...checkDependencies(surroundings), advise: async () => [] };
    const compared: Compared[] = [];
    for (const model of models) {
      const check = await checkMemory(await checkRequest(model, flags), dependencies);
      compared.push({ check, largest: largestOf(check) });
    }
    if (compared.some(({ check }) => check.verdict.kind === 'unknown')) process.exitCode = 3;
    if (!this.jsonEnabled()) {
      const { default: colors } = await import('chalk');
      this.log(compareText(compared, terminalWidth(process.stdout), colors));
      for (const note of sharedNotes(compared.map(({ check }) => check))) this.notice(note);
    }
    return { models: compared.map(({ check, largest }) => ({ ...checkJson(check), largestContext: largest ?? null })) };
  }
}
