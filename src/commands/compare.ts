import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.js';
import { checkDependencies } from '../lib/cli/check-command.js';
import { surroundingsOf } from '../lib/cli/surroundings.js';
import { checkRequest } from '../lib/cli/check-request.js';
import { launchFlags } from '../lib/cli/flags/launch-flags.js';
import { budgetFlags } from '../lib/cli/flags/machine-flags.js';
import { modelArg, modelFlags } from '../lib/cli/flags/model-flags.js';
import { terminalWidth } from '../lib/cli/terminal/terminal-width.js';
import { UsageError } from '../lib/errors.js';
import { checkMemory, type CheckDependencies } from '../lib/preflight/check-memory.js';
import { refuseForAll } from '../lib/preflight/surveys/judge-or-refusal.js';
import type { MemoryCheck } from '../lib/preflight/memory-check.js';
import { largestOf } from '../lib/preflight/surveys/largest-of.js';
import { fittingSets, judgeTogether } from '../lib/preflight/surveys/together.js';
import { explainStep, type VersionStep } from '../lib/preflight/surveys/version-steps.js';
import { compareJson, versionsJson } from '../lib/report/json/compare-json.js';
import { sharedNotes } from '../lib/report/words/shared-notes.js';
import { compareText } from '../lib/report/tables/compare-text.js';
import { togetherText } from '../lib/report/tables/together-text.js';
import { versionsText } from '../lib/report/text/versions-text.js';

export default class Compare extends BaseCommand {
  static override args = { model: modelArg };
  static override description = `Checks several models for the same machine with the same options, and shows them side by side. With a list of versions in \
--llama-cpp, each model is shown part by part in all of them, with what each change of llama.cpp between them adds or takes away.

With --together what they take is added up, and where that is too much, the sets that fit side by side are named.

Exit codes: 0 every model was checked, whether or not it fits, 1 they do not fit --together, 2 usage, 3 one could not be \
checked.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b gemma-3-27b gpt-oss-20b',
    '<%= config.bin %> <%= command.id %> gemma-3-12b llama-3.2-3b --together --ctx-size 8192',
    '<%= config.bin %> <%= command.id %> llama-3.1-8b --llama-cpp v0.5.0,b11434,v0.8.0 --accelerator metal --system-memory 24Gi',
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
  static override usage = [
    '<%= command.id %> MODEL MODEL... [FLAGS]',
    '<%= command.id %> MODEL... --llama-cpp VERSION,VERSION... [FLAGS]',
  ];

  async run(): Promise<Record<string, unknown>> {
    const { argv, flags } = await this.parse(Compare);
    const models = argv.map(String);
    const versions = versionsOf(flags['llama-cpp']);
    if (models.length < 2 && versions.length < 2) {
      throw new UsageError(
        'TOO_FEW_MODELS',
        `only ${models.length} model was given, and there is nothing to compare it with`,
        {
          suggestions: ['name two models or more', 'or versions of llama.cpp, --llama-cpp v0.5.0,b11434'],
        },
      );
    }
    const surroundings = surroundingsOf(this.config, flags, this.jsonEnabled());
    const dependencies: CheckDependencies = { ...checkDependencies(surroundings), advise: async () => [] };
    if (versions.length > 1) return this.compareVersions(models, versions, flags, dependencies);
    const compared: MemoryCheck[] = [];
    for (const model of models) {
      const request = await checkRequest(model, flags, this.variables);
      const check = await checkMemory({ ...request, amongOthers: true }, dependencies);
      compared.push({ ...check, largest: largestOf(check) });
    }
    refuseForAll(compared.map(({ verdict }) => verdict));
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
    return compareJson(compared, flags.together ? (together ?? null) : undefined, sets);
  }

  /** Each model in each version, and why the versions differ. */
  private async compareVersions(
    models: readonly string[],
    versions: readonly string[],
    flags: Parameters<typeof checkRequest>[1],
    dependencies: CheckDependencies,
  ): Promise<Record<string, unknown>> {
    const compared: { checks: MemoryCheck[]; steps: (VersionStep | undefined)[] }[] = [];
    for (const model of models) {
      const checks: MemoryCheck[] = [];
      for (const version of versions) {
        checks.push(
          await checkMemory(
            {
              ...(await checkRequest(model, { ...flags, 'llama-cpp': version }, this.variables)),
              amongOthers: true,
            },
            dependencies,
          ),
        );
      }
      const steps = checks.slice(1).map((check, index) => explainStep(checks[index] as MemoryCheck, check));
      compared.push({ checks, steps });
    }
    const all = compared.flatMap(({ checks }) => checks);
    refuseForAll(all.map(({ verdict }) => verdict));
    if (all.some(({ verdict }) => verdict.kind === 'unknown')) process.exitCode = 3;
    if (!this.jsonEnabled()) {
      const { default: colors } = await import('chalk');
      const width = terminalWidth(process.stdout);
      this.log(compared.map(({ checks, steps }) => versionsText(checks, steps, width, colors)).join('\n\n'));
      for (const note of sharedNotes(all)) this.notice(note);
    }
    return versionsJson(compared);
  }
}

/** `v0.5.0,b11434` in the order in which they were named, each once. */
function versionsOf(named = 'auto'): readonly string[] {
  return [...new Set(named.split(',').map((version) => version.trim()))].filter((version) => version !== '');
}
