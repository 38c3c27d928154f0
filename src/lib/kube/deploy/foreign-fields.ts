import { isDeepStrictEqual } from 'node:util';
import { FIELD_MANAGER, type AnyResource, type EnvVar, type Kind } from '../client/api.js';
import { isAppliedByUs, ownersOf } from './managed-fields.js';

/** A field that decides what llama-server allocates and that is not as it was checked, because somebody else set it. */
export interface ForeignField {
  readonly kind: Kind;
  /** `spec.parallelSlots` */
  readonly field: string;
  readonly value: unknown;
  readonly owner: string;
}

/** The fields that operator or agent make the launch of, and the API's default where it has one. */
const LAUNCH_FIELDS: Readonly<Record<Kind, Readonly<Record<string, unknown>>>> = {
  Model: {
    'spec.source': undefined,
    'spec.files': undefined,
    'spec.mmproj': undefined,
    'spec.hardware.accelerator': 'cpu',
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

/**
 * What would run otherwise than it was checked.
 * @param sent what this program applies; @param merged what the cluster makes of it
 */
export function foreignFields(sent: AnyResource, merged: AnyResource): ForeignField[] {
  const { kind } = sent;
  const fields = Object.entries(LAUNCH_FIELDS[kind]).map(([field, standard]) => ({
    field,
    value: valueAt(merged, field),
    wanted: valueAt(sent, field) ?? standard,
  }));
  if (kind === 'InferenceService') {
    fields.push({ field: ENV, value: serverVariables(merged), wanted: serverVariables(sent) });
  }
  return fields.flatMap(({ field, value, wanted }) => {
    if (value === undefined || isDeepStrictEqual(value, wanted)) return [];
    const owners = ownersOf(merged, field.split('.'));
    return owners.length === 0 ? [] : [{ kind, field, value, owner: owners.join(' and ') }];
  });
}

/**
 * What others have set, since this program applied a resource, of what decides what llama-server allocates: the recorded check does
 * not hold for it. None of what this program has not applied.
 */
export function fieldsSetSince(resource: AnyResource): ForeignField[] {
  if (!isAppliedByUs(resource)) return [];
  const nothing = { ...resource, spec: {} } as AnyResource;
  return foreignFields(nothing, resource).filter(
    ({ field }) => !ownersOf(resource, field.split('.')).includes(FIELD_MANAGER),
  );
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
