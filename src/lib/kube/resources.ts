import type { MemoryEstimate } from '../estimate/memory-estimate.js';
import type { Accelerator } from '../runtime/launch-options.js';
import {
  API_GROUP,
  API_VERSION,
  type Format,
  type GpuVendor,
  type InferenceServiceResource,
  type InferenceServiceSpec,
  type ModelResource,
  type ModelSpec,
  type ObjectMeta,
  type Runtime,
} from './client/api.js';
import { CHECK_ANNOTATIONS, checkAnnotations, hostMemoryNeed, type HostMemoryNeed } from './check-record.js';
import { AGENT_ANNOTATION } from './host-record.js';
import { checkPlan, type DeployPlan } from './deploy/deploy-plan.js';
import { gpuLayersField, launchFields } from './launch-fields.js';
import { withRecordedFields } from './launch-of-resource.js';

export interface DeployResources {
  readonly model: ModelResource;
  readonly service: InferenceServiceResource;
}

const GROUP_VERSION = `${API_GROUP}/${API_VERSION}` as const;
const MIB = 2 ** 20;
/** Of every service, whatever its `endpoint` says where it runs on a host outside the cluster: LLMKube 0.9. */
export const SERVICE_PORT = 8080;
const DEFAULT_CPU = '2';
const DEFAULT_MEMORY = '4Gi';
/** Requests in flight per pod that an autoscaling metric is held at. */
const METRIC_TARGET = '2';

const ENDPOINT_PATHS = { chat: '/v1/chat/completions', embedding: '/v1/embeddings', rerank: '/v1/rerank' } as const;

/** Empty for Metal: there the agent runs llama-server on the Mac itself. */
const SERVER_IMAGES: Readonly<Record<Accelerator, string | undefined>> = {
  cpu: 'ghcr.io/ggml-org/llama.cpp:server',
  cuda: 'ghcr.io/ggml-org/llama.cpp:server-cuda13',
  rocm: 'ghcr.io/ggml-org/llama.cpp:server-rocm',
  vulkan: 'ghcr.io/ggml-org/llama.cpp:server-vulkan',
  intel: 'ghcr.io/ggml-org/llama.cpp:server-intel',
  metal: undefined,
};

/** Which vendor's device a pod asks for. */
const DEFAULT_VENDORS: Readonly<Record<Accelerator, GpuVendor | undefined>> = {
  cpu: undefined,
  cuda: 'nvidia',
  rocm: 'amd',
  vulkan: 'amd',
  intel: 'intel',
  metal: undefined,
};

/**
 * The two resources of a plan, of the same name, ready to be applied or printed.
 * @param knowsMemoryLimit the cluster's CRD has `resources.memoryLimit`; where it does not, or nobody asked, the memory that
 * is requested is what the container can grow to, since the operator makes its limit of it
 * @throws UsageError where the API would refuse a value
 */
export function buildResources(plan: DeployPlan, knowsMemoryLimit = false): DeployResources {
  checkPlan(plan);
  const estimate = checkedEstimate(plan);
  const need = estimate === undefined || plan.launch.accelerator === 'metal' ? undefined : hostMemoryNeed(estimate);
  const resources = containerResources(plan, need, knowsMemoryLimit);
  const metadata = metadataOf(plan, need);
  return {
    model: withRecordedFields({
      apiVersion: GROUP_VERSION,
      kind: 'Model',
      metadata,
      spec: modelSpec(plan, estimate, withoutLimit(resources)),
    }),
    service: withRecordedFields({
      apiVersion: GROUP_VERSION,
      kind: 'InferenceService',
      metadata: plan.agent === undefined ? metadata : annotated(metadata, { [AGENT_ANNOTATION]: plan.agent }),
      spec: serviceSpec(plan, estimate, resources),
    }),
  };
}

function checkedEstimate({ check }: DeployPlan): MemoryEstimate | undefined {
  return check.verdict === undefined || check.verdict.kind === 'unknown' ? undefined : check.verdict.estimate;
}

function metadataOf(plan: DeployPlan, need: HostMemoryNeed | undefined): ObjectMeta {
  const annotations = checkAnnotations(plan.check);
  if (need?.limitBytes !== undefined) annotations[CHECK_ANNOTATIONS.limitBytes] = String(need.limitBytes);
  return {
    name: plan.name,
    namespace: plan.namespace,
    labels: { 'app.kubernetes.io/managed-by': 'llmkube' },
    annotations,
  };
}

function annotated(metadata: ObjectMeta, more: Readonly<Record<string, string>>): ObjectMeta {
  return { ...metadata, annotations: { ...metadata.annotations, ...more } };
}

function modelSpec(plan: DeployPlan, estimate: MemoryEstimate | undefined, resources: ContainerResources): ModelSpec {
  const { launch, gpu } = plan;
  const vendor = gpu?.vendor ?? DEFAULT_VENDORS[launch.accelerator];
  return {
    source: plan.source,
    ...(plan.files !== undefined && { files: plan.files }),
    ...(plan.mmproj !== undefined && { mmproj: plan.mmproj }),
    format: (plan.format ?? 'gguf') as Format,
    ...(plan.quantization !== undefined && { quantization: plan.quantization }),
    ...(plan.sha256 !== undefined && { sha256: plan.sha256 }),
    hardware: {
      accelerator: launch.accelerator,
      ...(launch.accelerator !== 'cpu' && {
        gpu: {
          enabled: true,
          count: gpu?.count ?? 1,
          ...(vendor !== undefined && { vendor: vendor as GpuVendor }),
          layers: gpuLayersField(launch, estimate?.resolved),
          ...(gpu?.memory !== undefined && { memory: gpu.memory }),
        },
      }),
      ...(plan.memoryBudgetBytes !== undefined && { memoryBudget: exactQuantity(plan.memoryBudgetBytes) }),
      ...(plan.memoryFraction !== undefined && { memoryFraction: plan.memoryFraction }),
    },
    resources,
  };
}

function serviceSpec(
  plan: DeployPlan,
  estimate: MemoryEstimate | undefined,
  resources: ContainerResources,
): InferenceServiceSpec {
  const { launch, gpu } = plan;
  const { fields, extraArgs } = launchFields(launch, estimate?.resolved, plan.draftModel);
  const allArgs = [...extraArgs, ...(plan.extraArgs ?? [])];
  const image = plan.image ?? defaultImage(plan);
  return {
    modelRef: plan.name,
    ...(plan.replicas !== undefined && { replicas: plan.replicas }),
    ...(image !== undefined && { image }),
    ...(plan.runtime !== undefined && { runtime: plan.runtime as Runtime }),
    ...endpointField(plan),
    resources: {
      ...resources,
      ...(launch.accelerator !== 'cpu' && { gpu: gpu?.count ?? 1 }),
      ...(launch.accelerator !== 'cpu' && gpu?.memory !== undefined && { gpuMemory: gpu.memory }),
    },
    ...fields,
    ...(plan.jinja === true && { jinja: true }),
    ...(allArgs.length > 0 && { extraArgs: allArgs }),
    ...containerFields(plan),
    ...autoscalingField(plan),
  };
}

function endpointField({ launch, nodePort }: DeployPlan): Pick<InferenceServiceSpec, 'endpoint'> {
  const path = ENDPOINT_PATHS[launch.mode ?? 'chat'];
  const common = { port: SERVICE_PORT, path };
  if (nodePort === undefined) return { endpoint: { ...common, type: 'ClusterIP' } };
  return { endpoint: { ...common, type: 'NodePort', nodePort } };
}

function containerFields(plan: DeployPlan): Partial<InferenceServiceSpec> {
  const { command, args, env, containerPort } = plan;
  return {
    ...(containerPort !== undefined && { containerPort }),
    ...(plan.skipModelInit === true && { skipModelInit: true }),
    ...(isFilled(command) && { command }),
    ...(isFilled(args) && { args }),
    ...(isFilled(env) && { env }),
  };
}

function autoscalingField(plan: DeployPlan): Pick<InferenceServiceSpec, 'autoscaling'> {
  const { minReplicas, maxReplicas, autoscaleMetric: name } = plan;
  if (maxReplicas === undefined) return {};
  return {
    autoscaling: {
      ...(minReplicas !== undefined && { minReplicas }),
      maxReplicas,
      ...(name !== undefined && { metrics: [{ type: 'Pods', name, targetAverageValue: METRIC_TARGET }] }),
    },
  };
}

interface ContainerResources {
  readonly cpu: string;
  readonly memory?: string;
  readonly memoryLimit?: string;
}

/** The agent on a Mac does not read the memory. */
function containerResources(
  plan: DeployPlan,
  need: HostMemoryNeed | undefined,
  knowsMemoryLimit: boolean,
): ContainerResources {
  const cpu = plan.cpu ?? DEFAULT_CPU;
  if (plan.memory !== undefined) return { cpu, memory: plan.memory };
  if (plan.launch.accelerator === 'metal') return { cpu };
  if (need === undefined) return { cpu, memory: plan.defaultMemory ?? DEFAULT_MEMORY };
  const { requestBytes, limitBytes = requestBytes } = need;
  return knowsMemoryLimit
    ? { cpu, memory: mebibytes(requestBytes), memoryLimit: mebibytes(limitBytes) }
    : { cpu, memory: mebibytes(limitBytes) };
}

/** The Model's resources are for fetching the file. */
function withoutLimit({ cpu, memory }: ContainerResources): ContainerResources {
  return { cpu, ...(memory !== undefined && { memory }) };
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MIB)}Mi`;
}

function defaultImage({ runtime, launch }: DeployPlan): string | undefined {
  return runtime === undefined || runtime === 'llamacpp' ? SERVER_IMAGES[launch.accelerator] : undefined;
}

/** Bytes as a quantity, in the largest binary unit that keeps them whole. */
export function exactQuantity(bytes: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  let index = 0;
  while (index < units.length - 1 && bytes > 0 && bytes % 2 ** (10 * (index + 1)) === 0) index += 1;
  return `${bytes / 2 ** (10 * index)}${units[index] ?? ''}`;
}

function isFilled<T>(list: readonly T[] | undefined): list is readonly T[] {
  return list !== undefined && list.length > 0;
}
