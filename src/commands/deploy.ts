import { BaseCommand } from '../lib/cli/base-command.js';
import { checkDependencies, exitCodeOf, isPassed } from '../lib/cli/check-command.js';
import { readingOf, surroundingsOf } from '../lib/cli/surroundings.js';
import { clusterChoice } from '../lib/cli/deploy/cluster-choice.js';
import { clusterFlags } from '../lib/cli/flags/cluster-flags.js';
import { deployCheck, type DeployCheck, wasMade } from '../lib/cli/deploy/deploy-check.js';
import { deployFlags } from '../lib/cli/flags/deploy-flags.js';
import { deployPlan } from '../lib/cli/deploy/plan-deploy.js';
import { stagedFiles } from '../lib/cli/deploy/staging.js';
import { showProgress } from '../lib/cli/deploy/deploy-progress.js';
import { deploySourceWithFiles } from '../lib/cli/deploy/deploy-source.js';
import { interruptSignal, type InterruptedError } from '../lib/cli/terminal/interrupt.js';
import { fileFlag, launchFlags } from '../lib/cli/flags/launch-flags.js';
import { machineFlags } from '../lib/cli/flags/machine-flags.js';
import { modelArg, modelFlags } from '../lib/cli/flags/model-flags.js';
import { refusalText } from '../lib/cli/terminal/refusal.js';
import { UsageError } from '../lib/errors.js';
import type { DeployPlan } from '../lib/kube/deploy/deploy-plan.js';
import { deployToCluster, type DeployOutcome } from '../lib/kube/deploy/deploy.js';
import { buildResources, type DeployResources } from '../lib/kube/resources.js';
import type { MemoryCheck } from '../lib/preflight/memory-check.js';
import { checkJson } from '../lib/report/json/check-json.js';
import { deployJson } from '../lib/report/json/deployment-json.js';
import { largestOf } from '../lib/preflight/surveys/largest-of.js';
import { checkText } from '../lib/report/text/check-text.js';
import { endpointText, eventLine, stoppedText } from '../lib/report/text/deploy-text.js';
import { failureText } from '../lib/report/words/failure-text.js';
import { formatManifests } from '../lib/report/json/manifests.js';
import { warningsOf } from '../lib/report/words/warnings.js';

type Flags = Awaited<ReturnType<Deploy['readFlags']>>['flags'];

export default class Deploy extends BaseCommand {
  static override args = { model: modelArg };
  static override description = `Checks the memory first, as check-memory does; what does not fit is refused before any cluster is contacted. Then \
it applies a Model and an InferenceService (server-side, as field manager llmkube) and waits until the service answers.

Exit codes: 0 deployed, 1 does not fit, 2 usage, 3 could not be checked, 4 cluster, 130 or 143 stopped by Ctrl-C or SIGTERM. \
Works as "kubectl llmkube deploy" too.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b --accelerator metal',
    '<%= config.bin %> <%= command.id %> llama-3.1-8b --gpu --gpu-memory 24Gi --replicas 2 -n models',
    '<%= config.bin %> <%= command.id %> my-model --source https://host/model.gguf --sha256 <sum> --cpu 4',
    '<%= config.bin %> <%= command.id %> llama-3.1-8b --dry-run client -o yaml | kubectl apply -f -',
  ];
  static override flags = {
    ...launchFlags,
    ...fileFlag,
    ...machineFlags,
    ...modelFlags,
    ...clusterFlags,
    ...deployFlags,
  };
  static override summary = 'check that a model fits, then deploy it to a cluster';
  static override usage = '<%= command.id %> MODEL [FLAGS]';

  async run(): Promise<unknown> {
    const { args, flags, metadata } = await this.readFlags();
    refuseSkipCache(flags);
    const surroundings = surroundingsOf(this.config, flags, this.jsonEnabled());
    const check = await deployCheck(args.model, flags, checkDependencies(surroundings), this.variables);
    if (isRefused(check, flags)) return this.refuse(check);
    const isMac = check.launch.accelerator === 'metal';
    const source = await deploySourceWithFiles(
      check.source,
      stagedFiles(check, flags.runtime),
      readingOf(surroundings),
      flags.runtime,
      isMac,
    );
    const plan = deployPlan({ model: args.model, flags, source, check, version: this.config.version });
    const resources = buildResources(plan);
    await this.reportCheck(check, flags);
    if (flags['dry-run'] === 'client') return this.printManifests(resources, flags, check);
    return this.deploy(plan, check, flags, metadata.flags.namespace?.setFromDefault ?? false);
  }

  private readFlags() {
    return this.parse(Deploy);
  }

  private async refuse(check: MemoryCheck): Promise<Record<string, unknown>> {
    process.exitCode = exitCodeOf(check);
    this.notice(await refusalText(check));
    return checkJson(check);
  }

  private async deploy(
    plan: DeployPlan,
    check: DeployCheck,
    flags: Flags,
    namespaceIsDefault: boolean,
  ): Promise<unknown> {
    const interrupt = interruptSignal();
    const progress = await showProgress(this.jsonEnabled());
    const dryRun = flags['dry-run'] === 'server';
    try {
      const outcome = await deployToCluster(plan, {
        ...clusterChoice(flags),
        dryRun: dryRun ? 'server' : 'none',
        forceConflicts: flags['force-conflicts'],
        fromCache: flags['from-cache'],
        namespaceIsDefault,
        wait: flags.wait,
        timeoutMs: flags.timeout,
        signal: interrupt.signal,
        onEvent: (event) => {
          if (event.type !== 'applied') return progress.show(event);
          progress.clear();
          if (flags.output === undefined) this.log(eventLine(event, dryRun));
        },
      });
      progress.stop();
      this.reportOutcome(outcome, plan, flags);
      if (outcome.state === 'interrupted') this.reportInterruption(plan, interrupt.signal.reason as InterruptedError);
      return deployJson(wasMade(check) ? check : undefined, outcome);
    } catch (error) {
      throw interrupt.cause(error);
    } finally {
      progress.stop();
      await interrupt.dispose();
    }
  }

  private reportInterruption({ name, namespace }: DeployPlan, { exitCode }: InterruptedError): void {
    process.exitCode = exitCode;
    this.notice(`Stopped waiting; the deploy goes on. See how it stands with: llmkube status ${name} -n ${namespace}`);
  }

  private reportOutcome(outcome: DeployOutcome, { name }: DeployPlan, flags: Flags): void {
    if (flags.output !== undefined) this.write(formatManifests(Object.values(outcome.resources), flags.output));
    else if (outcome.endpoint) this.log(`\n${endpointText(name, outcome.endpoint)}`);
    else if (outcome.state === 'stopped') this.log(`\n${stoppedText(name)}`);
  }

  private printManifests(resources: DeployResources, flags: Flags, check: DeployCheck): unknown {
    this.write(formatManifests([resources.model, resources.service], flags.output ?? 'yaml'));
    return { ...(wasMade(check) && checkJson(check)), manifests: [resources.model, resources.service] };
  }

  /** The check on stdout for people, out of the way where stdout is for manifests. */
  private async reportCheck(check: DeployCheck, flags: Flags): Promise<void> {
    if (!wasMade(check)) return this.notice('Note: the memory was not checked (--memory-check off)');
    const isPlain = flags['dry-run'] !== 'client' && flags.output === undefined;
    if (!isPassed(check)) this.notice(failureText(check, 'Warning'));
    if (!isPlain || !isPassed(check)) return warningsOf(check).forEach((warning) => this.notice(`Note: ${warning}`));
    const { default: colors } = await import('chalk');
    // Its layers are named to llama-server, which chooses none.
    const { shape, launch, room, verdict } = check;
    this.log(`${checkText({ ...check, largest: largestOf({ shape, launch, room, verdict }) }, colors)}\n`);
  }
}

function isRefused(check: DeployCheck, flags: Flags): check is MemoryCheck {
  return flags['memory-check'] === 'enforce' && wasMade(check) && exitCodeOf(check) !== 0;
}

function refuseSkipCache(flags: Flags): void {
  if (!flags['skip-cache']) return;
  throw new UsageError(
    'SKIP_CACHE_UNSUPPORTED',
    '--skip-cache cannot be honoured: the LLMKube API has nothing that forces a download',
    {
      suggestions: ['remove the cached file first: llmkube delete NAME --purge-cache says how'],
    },
  );
}
