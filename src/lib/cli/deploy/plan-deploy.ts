import { UsageError } from '../../errors.js';
import { speculationOf } from '../../estimate/draft/speculation.js';
import { exactQuantity } from '../../kube/resources.js';
import type { EnvVar } from '../../kube/client/api.js';
import type { DeployPlan } from '../../kube/deploy/deploy-plan.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { wordsOf, type DeployFlagValues } from '../flags/deploy-flags.js';
import { type DeployCheck, wasMade } from './deploy-check.js';
import { deployName } from './deploy-name.js';
import type { DeploySource } from './deploy-source.js';
import { refuseUnstaged, withoutOwnWords } from './staging.js';
import type { MachineFlagValues } from '../flags/machine-flags.js';
import { podGpus } from './pod-gpus.js';

export interface PlanInputs {
  /** The argument, as typed. */
  readonly model: string;
  readonly flags: DeployFlagValues &
    MachineFlagValues & { readonly namespace: string; readonly quantization?: string | undefined };
  readonly source: DeploySource;
  /** As far as it was made; with `--memory-check off` only what the launch would be. */
  readonly check: DeployCheck;
  readonly version: string;
}

/**
 * Flags, catalogue and check put together; what the user says wins over the catalogue.
 * @throws UsageError for flags that contradict each other or cannot be honoured
 */
export function deployPlan({ model, flags, source, check, version }: PlanInputs): DeployPlan {
  const { entry, launch, extraWords } = check;
  const { verdict, shape } = wasMade(check) ? check : {};
  const gpuMemory = flags['gpu-memory'];
  const staged = flags.runtime === 'llamacpp' ? withoutOwnWords(check) : launch;
  refuseUnstaged(staged, source.draftModel);
  return {
    name: flags.name ?? deployName(model, launch.accelerator),
    namespace: flags.namespace,
    agent: flags.agent,
    ...source,
    format: flags.format,
    quantization: flags.quantization ?? entry?.quantization ?? shape?.quantization,
    sha256: flags.sha256,
    launch: withTypeOfDraft(staged, check, source),
    extraArgs: extraWords,
    jinja: flags.jinja,
    gpu: {
      count: podGpus(flags),
      vendor: flags['gpu-vendor'],
      memory: gpuMemory === undefined ? entry?.resources.gpuMemory : exactQuantity(Math.min(...gpuMemory)),
    },
    cpu: flags.cpu ?? entry?.resources.cpu,
    memory: flags.memory,
    defaultMemory: entry?.resources.memory,
    memoryBudgetBytes: flags['memory-budget'],
    memoryFraction: flags['memory-fraction'],
    image: flags.image,
    runtime: flags.runtime === 'llamacpp' ? undefined : flags.runtime,
    containerPort: flags['container-port'],
    skipModelInit: flags['skip-model-init'],
    command: wordsOf(flags.command),
    args: wordsOf(flags.args),
    env: environmentOf(flags.env),
    replicas: flags.replicas,
    minReplicas: flags['min-replicas'],
    maxReplicas: flags['max-replicas'],
    autoscaleMetric: flags['autoscale-metric'],
    nodePort: flags['node-port'],
    check: { mode: flags['memory-check'], version, ...(verdict && { verdict }) },
  };
}

/**
 * The operator wants to know how a staged draft is used, which llama-server would find out by itself.
 * @throws UsageError DRAFT_TYPE_UNKNOWN
 */
function withTypeOfDraft(launch: LaunchOptions, check: DeployCheck, { draftModel }: DeploySource): LaunchOptions {
  if (draftModel === undefined || launch.specTypes !== undefined) return launch;
  const shape = wasMade(check) ? check.named?.draft?.shape : undefined;
  const specTypes = shape === undefined ? [] : speculationOf(launch, shape).types;
  if (specTypes.length > 0) return { ...launch, specTypes };
  throw new UsageError('DRAFT_TYPE_UNKNOWN', 'how the draft is used cannot be told from it; say it with --spec-type');
}

/** Values may be secret, so an error names the place, not the text. */
function environmentOf(values: readonly string[] | undefined): EnvVar[] | undefined {
  return wordsOf(values)?.map((assignment, index) => {
    const equals = assignment.indexOf('=');
    if (equals > 0) return { name: assignment.slice(0, equals), value: assignment.slice(equals + 1) };
    throw new UsageError('INVALID_ENV', `--env number ${index + 1} is not of the form NAME=VALUE`, {
      suggestions: [`a value with a comma goes in double quotes: --env '"NAME=a,b"'`],
    });
  });
}
