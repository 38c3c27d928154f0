import { UsageError } from '../errors.js';
import type { Accelerator } from '../runtime/launch-options.js';

/** Numbers that the API gives no bound are of format int32. */
const INT32_MAX = 2 ** 31 - 1;

/** Inclusive bounds of the API's numbers, and the flag that sets each. */
export const API_BOUNDS = {
  replicas: { flag: '--replicas', min: 0, max: 10 },
  minReplicas: { flag: '--min-replicas', min: 1, max: 10 },
  maxReplicas: { flag: '--max-replicas', min: 1, max: 100 },
  nodePort: { flag: '--node-port', min: 30000, max: 32767 },
  containerPort: { flag: '--container-port', min: 1, max: 65535 },
  gpuCount: { flag: '--gpu-count', min: 1, max: 8 },
  gpuLayers: { flag: '--gpu-layers', min: -1, max: INT32_MAX },
  contextSize: { flag: '--ctx-size', min: 128, max: 2097152 },
  parallelSlots: { flag: '--parallel', min: 1, max: 64 },
  batchSize: { flag: '--batch-size', min: 1, max: 16384 },
  uBatchSize: { flag: '--ubatch-size', min: 1, max: INT32_MAX },
} as const;

const QUANTITY = /^\+?(\d+(\.\d*)?|\.\d+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/;
const SUFFIXES = ['m', '', 'k', 'M', 'G', 'T', 'P', 'E'];
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_LABEL_LENGTH = 63;

/** @throws UsageError OUT_OF_BOUNDS naming flag, value and what is allowed */
export function checkBounds(field: keyof typeof API_BOUNDS, value: number | undefined): void {
  if (value === undefined) return;
  const { flag, min, max } = API_BOUNDS[field];
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const message = `${flag} ${value} is not allowed: the LLMKube API takes a whole number from ${min} to ${max}`;
  throw new UsageError('OUT_OF_BOUNDS', message);
}

/** @throws UsageError NOT_ALLOWED naming flag, value and what is allowed */
export function checkEnum(flag: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new UsageError('NOT_ALLOWED', `${flag} ${value} is not allowed: the LLMKube API takes ${allowed.join(', ')}`);
}

/** @throws UsageError INVALID_QUANTITY */
export function checkQuantity(flag: string, value: string | undefined, example: string): void {
  if (value === undefined || QUANTITY.test(value)) return;
  throw new UsageError('INVALID_QUANTITY', `${flag} "${value}" is not a Kubernetes quantity`, {
    suggestions: [`write it like ${example}`],
  });
}

/** What a Kubernetes quantity says, `2Gi` in bytes, say; undefined for what is none. */
export function quantityBytes(value: string): number | undefined {
  const [, number, , unit = ''] = QUANTITY.exec(value) ?? [];
  if (number === undefined) return undefined;
  if (/^[eE]./.test(unit) && unit !== 'Ei') return Number(number + unit);
  const isBinary = unit.endsWith('i');
  const power = SUFFIXES.indexOf(isBinary ? unit.slice(0, -1).replace('K', 'k') : unit) - 1;
  return Number(number) * (isBinary ? 1024 : 1000) ** power;
}

/** Of a deployment's name: the agent on a Mac appends to it (0.10). */
export function maxNameLength(accelerator: Accelerator): number {
  return accelerator === 'metal' ? 57 : MAX_LABEL_LENGTH;
}

/** @throws UsageError INVALID_NAME */
export function checkName(name: string, accelerator: Accelerator): void {
  const longest = maxNameLength(accelerator);
  if (name.length <= longest && SUBDOMAIN.test(name)) return;
  throw new UsageError(
    'INVALID_NAME',
    `"${name}" cannot be the name of a deployment with --accelerator ${accelerator}: at most ${longest} lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit`,
  );
}

/** @throws UsageError INVALID_NAMESPACE */
export function checkNamespace(namespace: string): void {
  if (namespace.length <= MAX_LABEL_LENGTH && LABEL.test(namespace)) return;
  throw new UsageError(
    'INVALID_NAMESPACE',
    `--namespace "${namespace}" is not allowed: at most ${MAX_LABEL_LENGTH} lower-case letters, digits and "-"`,
  );
}
