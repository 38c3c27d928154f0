import { BaseCommand } from '../lib/cli/base-command.js';
import {
  adviceSources,
  checkDependencies,
  exitCodeOf,
  isPassed,
  quantizationSources,
} from '../lib/cli/check-command.js';
import { surroundingsOf } from '../lib/cli/surroundings.js';
import { checkRequest } from '../lib/cli/check-request.js';
import { folded, terminalWidth } from '../lib/cli/terminal/terminal-width.js';
import { refusalText } from '../lib/cli/terminal/refusal.js';
import { fileFlag, launchFlags } from '../lib/cli/flags/launch-flags.js';
import { machineFlags } from '../lib/cli/flags/machine-flags.js';
import type { View, viewsOf } from '../lib/cli/check-views.js';
import { fleetFlags, refuseOfOneMachine } from '../lib/cli/flags/fleet-flags.js';
import { printFlag } from '../lib/cli/flags/print-flag.js';
import { commandsOf, type PrintedCommands } from '../lib/cli/printed-command.js';
import { viewFlags, wantsViews } from '../lib/cli/flags/view-flags.js';
import { modelArg, modelFlags } from '../lib/cli/flags/model-flags.js';
import { checkMemory, type CheckDependencies } from '../lib/preflight/check-memory.js';
import { skippedCheck, type CheckRequest } from '../lib/preflight/plan-check.js';
import type { FleetFlags } from '../lib/cli/fleet/fleet-check.js';
import { largestOf } from '../lib/preflight/surveys/largest-of.js';
import type { MemoryCheck } from '../lib/preflight/memory-check.js';
import { UsageError } from '../lib/errors.js';
import { checkJson } from '../lib/report/json/check-json.js';
import { checkText } from '../lib/report/text/check-text.js';
import { jsonText } from '../lib/printable.js';
import { isOnThisMachine } from '../lib/source/model-source.js';
import { commandText } from '../lib/report/layout/command-text.js';

/** In the place of a file. */
const STDOUT = '-';

interface ModelFlagValues {
  readonly quantization?: string | undefined;
  readonly catalog?: string | undefined;
  readonly offline: boolean;
}

export default class CheckMemory extends BaseCommand {
  static override args = { model: modelArg };
  static override description = `Reads nothing but the model's header, estimates what llama-server will allocate, and holds it \
against the memory of this machine or of the one that is given.

Exit codes: 0 fits (or is tight), 1 does not fit, 2 usage, 3 could not be checked.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b',
    '<%= config.bin %> <%= command.id %> qwen-coder-32b --accelerator metal --system-memory 32Gi --in-use 3.4Gi',
    '<%= config.bin %> <%= command.id %> hf:unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M --ctx-size 32768 --json',
    '<%= config.bin %> <%= command.id %> qwen-coder-32b --accelerator metal --system-memory 32Gi --html memory.html',
    '<%= config.bin %> <%= command.id %> qwen-coder-32b --ctx-size 32768 --cluster -n models',
    '<%= config.bin %> <%= command.id %> ./model.gguf --accelerator cuda --gpu-memory 24Gi --extra-args "-ctk q8_0 -ctv q8_0"',
  ];
  static override flags = {
    ...launchFlags,
    ...fileFlag,
    ...machineFlags,
    ...modelFlags,
    ...viewFlags,
    ...fleetFlags,
    print: printFlag,
  };
  static override usage = '<%= command.id %> MODEL [FLAGS]';
  static override summary = 'say whether a model fits the memory of a machine, and how closely';

  async run(): Promise<Record<string, unknown> | undefined> {
    const { args, flags, raw } = await this.parse(CheckMemory);
    if (flags.html === STDOUT) this.refuseBesidePage(flags);
    const surroundings = surroundingsOf(this.config, flags, this.jsonEnabled());
    const dependencies = checkDependencies(surroundings);
    if (flags.cluster) {
      refuseOfOneMachine(raw);
      return this.checkCluster(await checkRequest(args.model, flags, this.variables), flags, dependencies);
    }
    const request = await checkRequest(args.model, flags, this.variables);
    if (flags['memory-check'] === 'off') return this.skip(request, dependencies);
    if (flags.watch) return this.watch(request, dependencies);
    const found = await checkMemory(request, dependencies);
    const check = this.jsonEnabled() || exitCodeOf(found) === 0 ? { ...found, largest: largestOf(found) } : found;
    if (flags['memory-check'] === 'enforce') process.exitCode = exitCodeOf(check);
    const views = wantsViews(flags)
      ? await viewsAsked(check, flags, quantizationSources(surroundings, dependencies.readHeader))
      : [];
    const printed = flags.print && commandsOf(check, flags.print, raw);
    if (!this.jsonEnabled() && !(flags.html === STDOUT && isPassed(check)))
      await this.print(check, views, flags['memory-check'] === 'enforce', printed);
    if (flags.html !== undefined) {
      const { listSiblings } = adviceSources(surroundings, dependencies.readHeader);
      // What lies on this machine is known to be there or not.
      const beside = isOnThisMachine(check.source)
        ? await listSiblings(check.source).catch(() => undefined)
        : undefined;
      await this.writePage(
        flags.html,
        check,
        flags,
        beside?.map(({ quantization }) => quantization),
      );
    }
    const command = printed && { command: printed.own?.join(' ') ?? null };
    return Object.assign(checkJson(check, printed), command, ...views.map(({ json }) => json)) as Record<
      string,
      unknown
    >;
  }

  private async checkCluster(
    request: CheckRequest,
    flags: FleetFlags,
    dependencies: CheckDependencies,
  ): Promise<Record<string, unknown>> {
    const { checkOnHosts, fleetExitCode } = await import('../lib/cli/fleet/fleet-check.js');
    const { fleetText } = await import('../lib/report/text/fleet-text.js');
    const { fleetJson } = await import('../lib/report/json/fleet-json.js');
    const hosts = await checkOnHosts(request, flags, { ...dependencies, advise: async () => [] });
    process.exitCode = fleetExitCode(hosts);
    if (!this.jsonEnabled()) this.log(fleetText(hosts));
    return fleetJson(hosts);
  }

  /** For a person who closes programs; with `--json` for a program that shows it, an object a line. */
  private async watch(request: CheckRequest, dependencies: CheckDependencies): Promise<never> {
    const { machine, policy, accelerator } = request;
    if (machine.systemMemoryBytes !== undefined || machine.inUseBytes !== undefined) {
      const problem = '--watch looks at this machine, and --system-memory or --in-use say what is in use instead';
      throw new UsageError('CONTRADICTION', `${problem}: leave one of them out`);
    }
    const { watchCheck } = await import('../lib/cli/watch-check.js');
    const { readOnce } = await import('../lib/cli/read-once.js');
    const { default: colors } = await import('chalk');
    const asked = { ...dependencies, readHeader: readOnce(dependencies.readHeader) };
    const asLines = this.jsonEnabled();
    return watchCheck({
      verdictText: async () => {
        const found = await checkMemory(request, asked);
        const check = { ...found, largest: largestOf(found) };
        if (asLines) return jsonText(checkJson(check), 0);
        return isPassed(check) ? checkText(check, colors) : refusalText(check);
      },
      asLines,
      measure: () => dependencies.measureHost({ ...machine, accelerator, budgetBytes: policy.absoluteBytes }),
      stream: process.stdout,
    });
  }

  /** Standard output has room for one thing. */
  private refuseBesidePage(flags: Parameters<typeof wantsViews>[0] & { readonly print?: string | undefined }): void {
    const isAlone = !this.jsonEnabled() && !wantsViews(flags) && flags.print === undefined;
    if (isAlone) return;
    throw new UsageError('CONTRADICTION', '--html - writes the page to standard output, where nothing else may stand', {
      suggestions: ['name a file: --html page.html', 'leave out --json, --print, and the tables'],
    });
  }

  private async writePage(
    file: string,
    check: MemoryCheck,
    flags: ModelFlagValues,
    published: readonly string[] | undefined,
  ): Promise<void> {
    const { quantization, catalog, offline } = flags;
    const modelOptions = [...(catalog === undefined ? [] : ['--catalog', catalog]), ...(offline ? ['--offline'] : [])];
    const { pageInput } = await import('../lib/page/page-of-check.js');
    const input = pageInput(check, { modelOptions, quantization, published });
    if (input === undefined) return this.notice('Note: no page was written, for there is nothing to show in it');
    const { pageText, writePage } = await import('../lib/page/write-page.js');
    if (file === STDOUT) return this.write((await pageText(input, this.config.version)).trimEnd());
    await writePage(file, input, this.config.version);
    this.notice(`Page written to ${file}`);
  }

  private async skip(request: CheckRequest, dependencies: CheckDependencies): Promise<Record<string, unknown>> {
    this.notice('Note: the memory was not checked (--memory-check off)');
    return checkJson(await skippedCheck(request, dependencies));
  }

  private async print(
    check: MemoryCheck,
    views: readonly View[],
    enforced: boolean,
    printed: PrintedCommands | undefined,
  ): Promise<void> {
    const word = enforced ? 'Error' : 'Warning';
    const refusal = isPassed(check) ? undefined : await refusalText(check, word, printed?.of);
    if (refusal !== undefined) this.notice(`${refusal}${views.length > 0 ? '\n' : ''}`);
    const noteCommands = (): void => {
      for (const note of printed?.notes ?? []) this.notice(`Note: ${note}`);
    };
    if (!isPassed(check) && views.length === 0) return noteCommands();
    const { default: colors } = await import('chalk');
    const width = terminalWidth(process.stdout);
    const own = isPassed(check) ? [folded(checkText(check, colors), process.stdout)] : [];
    if (own.length > 0 && printed?.own !== undefined) own.push(commandText(printed.own, width));
    this.log([...own, ...views.map(({ text }) => text(width, colors))].join('\n\n'));
    noteCommands();
  }
}

/** Loaded only where they are asked for, so that a plain check starts quickly. */
async function viewsAsked(...asked: Parameters<typeof viewsOf>): Promise<readonly View[]> {
  return (await import('../lib/cli/check-views.js')).viewsOf(...asked);
}
