import { UsageError } from '../../errors.js';
import type { LaunchOptions } from '../../runtime/launch-options.js';
import { FORMATS, GPU_VENDORS, RUNTIMES, type EnvVar, type Quantity } from '../client/api.js';
import { checkBounds, checkEnum, checkName, checkNamespace, checkQuantity } from '../bounds.js';
import type { CheckRecord } from '../check-record.js';

/** What is to be deployed, as plain data: what the user or the catalogue set, and how the check went. */
export interface DeployPlan {
  readonly name: string;
  readonly namespace: string;
  /** The only agent that may run it. */
  readonly agent?: string | undefined;
  /** In a form that the operator can read: URL, `hf://`, `s3://`, `pvc://`, `file://` or an absolute path. */
  readonly source: string;
  /** Files to take from a source that is a repository; the first is the one that is loaded. */
  readonly files?: readonly string[] | undefined;
  /** A projector among the files of the source. */
  readonly mmproj?: string | undefined;
  /** A draft among the files of the source. */
  readonly draftModel?: string | undefined;
  readonly format?: string | undefined;
  readonly quantization?: string | undefined;
  readonly sha256?: string | undefined;
  /** Only what was set: llama-server's own defaults stay out. */
  readonly launch: LaunchOptions;
  /** The user's own llama-server arguments, one word each; they come last and win. */
  readonly extraArgs?: readonly string[] | undefined;
  readonly jinja?: boolean | undefined;
  readonly gpu?: {
    readonly count?: number | undefined;
    readonly vendor?: string | undefined;
    readonly memory?: Quantity | undefined;
  };
  readonly cpu?: Quantity | undefined;
  /** What the user said (`--memory`); unset = computed from the check. */
  readonly memory?: Quantity | undefined;
  /** Used when nothing was said and nothing was checked: the catalogue's. */
  readonly defaultMemory?: Quantity | undefined;
  readonly memoryBudgetBytes?: number | undefined;
  readonly memoryFraction?: number | undefined;
  readonly image?: string | undefined;
  readonly runtime?: string | undefined;
  readonly containerPort?: number | undefined;
  readonly skipModelInit?: boolean | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: readonly EnvVar[] | undefined;
  readonly replicas?: number | undefined;
  readonly minReplicas?: number | undefined;
  readonly maxReplicas?: number | undefined;
  readonly autoscaleMetric?: string | undefined;
  readonly nodePort?: number | undefined;
  readonly check: CheckRecord;
}

const SOURCE = /^(https?|file|pvc|hf|s3):\/\/.*|^\/[^\s]+$|^[a-zA-Z0-9][\w\-./]+$/;
const SHA256 = /^[a-fA-F0-9]{64}$/;
const ENV_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;

/**
 * Holds a plan against the enums and bounds of the API, so that nothing is sent that it would refuse.
 * @throws UsageError naming flag, value and what is allowed
 */
export function checkPlan(plan: DeployPlan): void {
  checkName(plan.name, plan.launch.accelerator);
  checkNamespace(plan.namespace);
  checkSource(plan);
  checkEnum('--format', plan.format, FORMATS);
  checkEnum('--runtime', plan.runtime, RUNTIMES);
  checkEnum('--gpu-vendor', plan.gpu?.vendor, GPU_VENDORS);
  checkNumbers(plan);
  checkQuantity('--cpu', plan.cpu, '2 or 500m');
  checkQuantity('--memory', plan.memory, '4Gi');
  checkQuantity('--gpu-memory', plan.gpu?.memory, '24Gi');
  checkAutoscaling(plan);
  checkContainer(plan);
}

function checkNumbers(plan: DeployPlan): void {
  const { launch } = plan;
  checkBounds('replicas', plan.replicas);
  checkBounds('minReplicas', plan.minReplicas);
  checkBounds('maxReplicas', plan.maxReplicas);
  checkBounds('nodePort', plan.nodePort);
  checkBounds('containerPort', plan.containerPort);
  checkBounds('gpuCount', plan.gpu?.count);
  // Below 0 it is a word, auto or all, for which a number is sent: gpuLayersField.
  if ((launch.gpuLayers ?? 0) >= 0) checkBounds('gpuLayers', launch.gpuLayers);
  checkBounds('contextSize', launch.ctxSize === 0 ? undefined : launch.ctxSize);
  checkBounds('parallelSlots', launch.parallel);
  checkBounds('batchSize', launch.batchSize);
  checkBounds('uBatchSize', launch.ubatchSize);
}

function checkSource({ source, sha256 }: DeployPlan): void {
  if (!SOURCE.test(source)) {
    throw new UsageError(
      'INVALID_SOURCE',
      `--source "${source}" is not allowed: the LLMKube API takes http(s)://, file://, pvc://, hf://, s3:// and absolute paths`,
    );
  }
  if (sha256 !== undefined && !SHA256.test(sha256)) {
    throw new UsageError('INVALID_SHA256', `--sha256 "${sha256}" is not allowed: it must be 64 hexadecimal digits`);
  }
}

function checkAutoscaling({ minReplicas, maxReplicas, autoscaleMetric }: DeployPlan): void {
  if (maxReplicas === undefined) {
    const orphan = minReplicas !== undefined ? '--min-replicas' : '--autoscale-metric';
    if (minReplicas === undefined && autoscaleMetric === undefined) return;
    throw new UsageError(
      'MAX_REPLICAS_MISSING',
      `${orphan} has no effect without --max-replicas, which turns on autoscaling`,
    );
  }
  if (minReplicas !== undefined && minReplicas > maxReplicas) {
    throw new UsageError('OUT_OF_BOUNDS', `--min-replicas ${minReplicas} is above --max-replicas ${maxReplicas}`);
  }
}

function checkContainer(plan: DeployPlan): void {
  if (plan.runtime === 'generic' && plan.image === undefined) {
    throw new UsageError('IMAGE_MISSING', '--runtime generic needs --image: there is no default image for it');
  }
  for (const { name } of plan.env ?? []) {
    if (ENV_NAME.test(name)) continue;
    throw new UsageError('INVALID_ENV', `--env name "${name}" is not allowed: letters, digits, "_", "-" and "." only`);
  }
}
