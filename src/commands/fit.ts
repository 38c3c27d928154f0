import { namesQuantization } from '../lib/preflight/resolve-model.js';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.js';
import { adviceSources, checkDependencies, exitCodeOf } from '../lib/cli/check-command.js';
import { surroundingsOf } from '../lib/cli/surroundings.js';
import { checkRequest } from '../lib/cli/check-request.js';
import { fileFlag, launchFlags } from '../lib/cli/flags/launch-flags.js';
import { budgetFlags } from '../lib/cli/flags/machine-flags.js';
import { modelArg, modelFlags } from '../lib/cli/flags/model-flags.js';
import { refusalText } from '../lib/cli/terminal/refusal.js';
import { fleetFlags, refuseOfOneMachine } from '../lib/cli/flags/fleet-flags.js';
import { secretNotes } from '../lib/cli/secret-variables.js';
import { printFlag, type PrintedCommand } from '../lib/cli/flags/print-flag.js';
import { deployCommand, printedCommand, whyNoDeploy } from '../lib/cli/printed-command.js';
import { terminalWidth } from '../lib/cli/terminal/terminal-width.js';
import type { RawToken } from '../lib/cli/terminal/typed-command.js';
import { checkMemory, type CheckDependencies } from '../lib/preflight/check-memory.js';
import { isComplete, type CompleteCheck, type MemoryCheck } from '../lib/preflight/memory-check.js';
import { findFit } from '../lib/preflight/fit/find-fit.js';
import type { FittedLaunch } from '../lib/preflight/fit/fit-launch.js';
import { PREFERENCES } from '../lib/preflight/fit/fit-search.js';
import { checkJson } from '../lib/report/json/check-json.js';
import { fitJson } from '../lib/report/json/fit-json.js';
import { fitText } from '../lib/report/text/fit-text.js';

/** Flags of this command that a deploy has no use for. */
const OWN_FLAGS: readonly string[] = [
  'cluster',
  'service',
  'json',
  'offline',
  'read-timeout',
  'prefer',
  'print',
  'memory-check',
];

export default class Fit extends BaseCommand {
  static override args = { model: modelArg };
  static override description = `Looks for the best launch of a model on this machine or on the one that is given, and prints it as a deploy command, \
or with --print as llama-server's own or behind llmkube exec. \
With --prefer quality (the default) that is the largest quantization that holds the context asked for with --ctx-size, 8192 \
tokens where none is, and then as much context as fits; with --prefer context it is the longest context that a \
quantization of at least four bits holds, or one of fewer bits where only that holds what was asked for. --quantization keeps to that one. Layers or experts stay on the host where the GPU \
does not hold four bits a weight. Where experts stay there anyway and no context is asked for, up to half as many again \
do so that 32768 tokens fit, or 16384. 5 % of the budget stay free.

Exit codes: 0 found, 1 nothing fits, 2 usage, 3 could not be checked.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b',
    '<%= config.bin %> <%= command.id %> llama-3.1-8b --prefer context --accelerator metal --system-memory 16Gi --in-use 4Gi',
  ];
  static override flags = {
    ...launchFlags,
    ...fileFlag,
    ...budgetFlags,
    ...modelFlags,
    ...fleetFlags,
    print: printFlag,
    prefer: Flags.option({ options: PREFERENCES })({
      default: 'quality',
      description: 'what to have most of, where not everything fits',
      helpGroup: 'MODEL',
    }),
  };
  static override usage = '<%= command.id %> MODEL [FLAGS]';
  static override summary = 'find the best launch of a model for a machine';

  async run(): Promise<Record<string, unknown>> {
    const { args, flags, raw } = await this.parse(Fit);
    const { prefer } = flags;
    const surroundings = surroundingsOf(this.config, flags, this.jsonEnabled());
    const dependencies = checkDependencies(surroundings);
    if (flags.cluster) refuseOfOneMachine(raw);
    const request = await checkRequest(args.model, flags, this.variables);
    if (flags.cluster) {
      const { fitOnHosts } = await import('../lib/cli/fleet/fleet-fit.js');
      const search = async (check: CompleteCheck, read: CheckDependencies['readHeader'], words: readonly string[]) => {
        const fitted = await findFit(check, prefer, askedIn(check, flags), adviceSources(surroundings, read));
        return fitted && { fitted, command: fittedCommand('deploy', fitted, check, raw, words) };
      };
      const { text, json, exitCode } = await fitOnHosts(request, flags, dependencies, prefer, search);
      process.exitCode = exitCode;
      if (!this.jsonEnabled()) this.log(text);
      return json;
    }
    const check = await checkMemory(
      { ...request, namesLaunch: true },
      {
        ...dependencies,
        advise: async () => [],
      },
    );
    if (!isComplete(check)) return this.refuse(check);
    const fitted = await findFit(
      check,
      prefer,
      askedIn(check, flags),
      adviceSources(surroundings, dependencies.readHeader),
    );
    if (fitted === undefined) return this.refuse(await checkMemory(request, dependencies));
    const command = fittedCommand(flags.print ?? 'deploy', fitted, check, raw);
    const notes = [...commandNotes(flags.print ?? 'deploy', fitted, check, command), ...check.verdict.warnings];
    if (!this.jsonEnabled()) {
      const { default: colors } = await import('chalk');
      const width = terminalWidth(process.stdout);
      this.log(fitText(fitted, command, { check, prefer, width, colors }));
      for (const note of notes) this.notice(`Note: ${note}`);
    }
    return fitJson(fitted, command, prefer, notes);
  }

  private async refuse(check: MemoryCheck): Promise<Record<string, unknown>> {
    process.exitCode = exitCodeOf(check);
    if (!this.jsonEnabled()) this.notice(await refusalText(check));
    return checkJson(check);
  }
}

/** What the user asked for; a context or a quantization of the catalogue's is not. */
function askedIn(
  { extraOptions, model }: CompleteCheck,
  flags: { 'ctx-size'?: number | undefined; quantization?: string | undefined; file?: string | undefined },
) {
  const ctxSize = extraOptions.ctxSize ?? flags['ctx-size'];
  return { ctxSize, quantization: (flags.quantization ?? flags.file) !== undefined || namesQuantization(model) };
}

/** Why the command is no deploy, where one was asked for, and what is to be done before it can be run. */
function commandNotes(
  kind: PrintedCommand,
  { changes }: FittedLaunch,
  check: CompleteCheck,
  command: readonly string[] = [],
): readonly string[] {
  const why = kind === 'deploy' ? whyNoDeploy(check, changes) : undefined;
  return [...(why === undefined ? [] : [why]), ...secretNotes(command)];
}

/** The command that was asked for, a deploy with more words, llama-server's own where no deploy can carry the launch, a deploy where llama-server cannot read it. */
function fittedCommand(
  kind: PrintedCommand,
  fitted: FittedLaunch,
  check: CompleteCheck,
  raw: readonly RawToken[],
  words: readonly string[] = [],
): readonly string[] | undefined {
  const { changes, verdict, cacheRamMiB } = fitted;
  const launch = { ...fitted.launch, ...(cacheRamMiB !== undefined && { cacheRamMiB }) };
  const asked = { ...check, launch };
  const started = (by: PrintedCommand) => printedCommand(by, asked, changes, verdict.estimate.resolved, raw);
  const own = kind === 'deploy' ? undefined : started(kind);
  if (own !== undefined) return own;
  const isSaid = (flag: string): boolean => words.some((word) => word.split(' ')[0] === `--${flag}`);
  const typed = raw.filter(({ type, flag = '' }) => type === 'flag' && !OWN_FLAGS.includes(flag) && !isSaid(flag));
  const more = [...words, ...(cacheRamMiB === undefined ? [] : [`--cache-ram ${cacheRamMiB}`])];
  const deploy = deployCommand(check, changes, typed, more);
  return deploy ?? started('llama-server');
}
