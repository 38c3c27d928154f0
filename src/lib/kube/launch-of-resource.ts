import type { AnyResource, EnvVar, Kind } from './client/api.js';
import { CHECK_ANNOTATIONS } from './check-record.js';

/** The fields that operator or agent make the launch of, and the API's default where it has one. */
const LAUNCH_FIELDS: Readonly<Record<Kind, Readonly<Record<string, unknown>>>> = {
  Model: {
    'spec.source': undefined,
    'spec.files': undefined,
    'spec.mmproj': undefined,
    'spec.hardware.accelerator': undefined,
    'spec.hardware.gpu.enabled': undefined,
    'spec.hardware.gpu.count': undefined,
    'spec.hardware.gpu.layers': undefined,
  },
  InferenceService: {
    'spec.modelRef': undefined,
    'spec.runtime': 'llamacpp',
    'spec.mode': undefined,
    'spec.contextSize': undefined,
    'spec.parallelSlots': undefined,
    'spec.batchSize': undefined,
    'spec.uBatchSize': undefined,
    'spec.flashAttention': undefined,
    'spec.cacheTypeK': undefined,
    'spec.cacheTypeV': undefined,
    'spec.cacheTypeCustomK': undefined,
    'spec.cacheTypeCustomV': undefined,
    'spec.turboQuantBits': undefined,
    'spec.moeCPUOffload': undefined,
    'spec.moeCPULayers': undefined,
    'spec.noKvOffload': undefined,
    'spec.tensorOverrides': undefined,
    'spec.metadataOverrides': undefined,
    'spec.ropeScaling': undefined,
    'spec.speculativeDecoding': undefined,
    'spec.extraArgs': undefined,
    'spec.command': undefined,
    'spec.args': undefined,
    'spec.resources.memoryLimit': undefined,
    'spec.resources.hostMemory': undefined,
  },
};
const ENV = 'spec.env';
/** llama-server reads its options from these too. */
const SERVER_VARIABLE = /^(LLAMA_ARG_|GGML_)/;

/** One of those fields as a resource has it. */
interface FieldOfLaunch {
  /** `spec.parallelSlots` */
  readonly field: string;
  /** Undefined where it is not there. */
  readonly value: unknown;
  readonly standard: unknown;
}

/** What of a resource decides what llama-server allocates. */
export function fieldsOfLaunch(resource: AnyResource): readonly FieldOfLaunch[] {
  const fields = Object.entries(LAUNCH_FIELDS[resource.kind]).map(([field, standard]) => {
    return { field, value: valueAt(resource, field), standard };
  });
  if (resource.kind === 'Model') return fields;
  return [...fields, { field: ENV, value: serverVariables(resource), standard: undefined }];
}

/** A resource with the names of those fields that it has: one that is taken out later leaves no trace in the API. */
export function withRecordedFields<T extends AnyResource>(resource: T): T {
  const names = fieldsOfLaunch(resource).flatMap(({ field, value }) => (value === undefined ? [] : field));
  const annotations = { ...resource.metadata.annotations, [CHECK_ANNOTATIONS.fields]: names.join() };
  return { ...resource, metadata: { ...resource.metadata, annotations } };
}

/** The fields that a resource had when it was applied; none where that is not recorded. */
export function recordedFields(resource: AnyResource): readonly string[] {
  const recorded = resource.metadata.annotations?.[CHECK_ANNOTATIONS.fields]?.split(',') ?? [];
  // Annotations can be edited by hand.
  return fieldsOfLaunch(resource).flatMap(({ field }) => (recorded.includes(field) ? field : []));
}

function valueAt(resource: AnyResource, field: string): unknown {
  return field
    .split('.')
    .reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | null | undefined)?.[key] ?? undefined,
      resource,
    );
}

function serverVariables(resource: AnyResource): readonly EnvVar[] | undefined {
  const env = valueAt(resource, ENV) as readonly EnvVar[] | undefined;
  const variables = env?.filter(({ name }) => SERVER_VARIABLE.test(name)) ?? [];
  return variables.length > 0 ? variables : undefined;
}
