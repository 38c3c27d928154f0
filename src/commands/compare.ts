import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.js';
import { checkDependencies } from '../lib/cli/check-command.js';
import { checkRequest } from '../lib/cli/check-request.js';
import { launchFlags } from '../lib/cli/flags/launch-flags.js';
import { budgetFlags } from '../lib/cli/flags/machine-flags.js';
import { modelArg, modelFlags } from '../lib/cli/flags/model-flags.js';
import { terminalWidth } from '../lib/cli/terminal/terminal-width.js';
import { UsageError } from '../lib/errors.js';
import { checkMemory, type CheckDependencies, type MemoryCheck } from '../lib/preflight/check-memory.js';
import { largestOf } from '../lib/preflight/survey.js';
import { fittingSets, judgeTogether } from '../lib/preflight/together.js';
import { checkJson } from '../lib/report/json/check-json.js';
import { sharedNotes } from '../lib/report/words/shared-notes.js';
import { compareText } from '../lib/report/tables/compare-text.js';
import { togetherJson, togetherText } from '../lib/report/tables/together-text.js';

export default class Compare extends BaseCommand {
  static override args = { model: modelArg };
  static override description = `Checks several models for the same machine with the same options, and shows them side by side.

With --together what they take is added up, and where that is too much, the sets that fit side by side are named.

Exit codes: 0 every model was checked, whether or not it fits, 1 they do not fit --together, 2 usage, 3 one could not be \
checked.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b gemma-3-27b gpt-oss-20b',
    '<%= config.bin %> <%= command.id %> gemma-3-12b llama-3.2-3b --together --ctx-size 8192',
    '<%= config.bin %> <%= command.id %> llama-3.1-8b phi-4 --accelerator metal --system-memory 24Gi --in-use 4Gi --ctx-size 16384',
  ];
  static override flags = {
    ...launchFlags,
    ...budgetFlags,
    ...modelFlags,
    together: Flags.boolean({
      description: 'say whether they fit all at once, each in a llama-server of its own, and else which of them do',
      helpGroup: 'MODEL',
    }),
  };
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
    const compared: MemoryCheck[] = [];
    for (const model of models) {
      const check = await checkMemory(await checkRequest(model, flags), dependencies);
      compared.push({ ...check, largest: largestOf(check) });
    }
    if (compared.some(({ verdict }) => verdict.kind === 'unknown')) process.exitCode = 3;
    const together = flags.together ? judgeTogether(compared) : undefined;
    const sets = together?.verdict.kind === 'does-not-fit' ? fittingSets(compared) : [];
    if (together?.verdict.kind === 'does-not-fit') process.exitCode = 1;
    if (flags.together && together === undefined) {
      this.notice('Note: not all of them could be checked, so it is not known what they take together');
    }
    if (!this.jsonEnabled()) {
      const { default: colors } = await import('chalk');
      const width = terminalWidth(process.stdout);
      const sums = together === undefined ? [] : [togetherText(together, sets, width, colors)];
      this.log([compareText(compared, width, colors), ...sums].join('\n\n'));
      for (const note of sharedNotes(compared)) this.notice(note);
    }
    return { models: compared.map(checkJson), ...(together && { together: togetherJson(together, sets) }) };
  }
}
