import type { BudgetPolicy } from '../../budget/budget-policy.js';
import { parseQuantity } from '../../budget/quantity.js';
import type { MachineRequest } from '../../host/measure-host.js';
import { UsageError } from '../../errors.js';
import type { InferenceServiceResource, ModelResource } from '../../kube/client/api.js';
import { printable } from '../../printable.js';
import { OVERRIDE_ANNOTATIONS } from './annotations.js';

export const CHECK_MODES = ['enforce', 'warn'] as const;
/** `warn`: what does not fit is started all the same, and said; what could not be checked never is. */
export type CheckMode = (typeof CHECK_MODES)[number];

/** What holds for every service where nothing else is said: the agent's flags. */
export interface MemoryDefaults {
  readonly policy: BudgetPolicy;
  readonly mode: CheckMode;
  /** Who said the mode, as a message names it. */
  readonly modeFrom: string;
}

export type MemoryRules =
  | ({ readonly kind: 'rules' } & MemoryDefaults)
  /** `problem` names the value and where it stands; nothing may be started on it. */
  | { readonly kind: 'unreadable'; readonly problem: string };

/** What of a Model says how much memory it may use. */
export interface RuledModel {
  readonly metadata: Pick<ModelResource['metadata'], 'name'>;
  readonly spec: Pick<ModelResource['spec'], 'hardware'>;
}

type Override = readonly [where: string, value: string | number | undefined, read: (text: string) => BudgetPolicy];

/**
 * How much of the machine one service may use. First found wins: annotations of the InferenceService, fields of the Model, the
 * agent's flags, the machine's size. A value that cannot be read refuses: another one would be somebody's guess.
 */
export function memoryRules(
  { metadata }: Pick<InferenceServiceResource, 'metadata'>,
  { metadata: { name }, spec: { hardware } }: RuledModel,
  defaults: MemoryDefaults,
): MemoryRules {
  const annotations = metadata.annotations ?? {};
  const overrides: readonly Override[] = [
    [annotation('memoryBudget'), annotations[OVERRIDE_ANNOTATIONS.memoryBudget], budget],
    [annotation('memoryFraction'), annotations[OVERRIDE_ANNOTATIONS.memoryFraction], fraction],
    [`spec.hardware.memoryBudget of Model ${name}`, hardware?.memoryBudget, budget],
    [`spec.hardware.memoryFraction of Model ${name}`, hardware?.memoryFraction, fraction],
  ];
  const ownMode = annotations[OVERRIDE_ANNOTATIONS.memoryCheck];
  const mode = ownMode ?? defaults.mode;
  const modeFrom = ownMode === undefined ? defaults.modeFrom : annotation('memoryCheck');
  const known = CHECK_MODES.find((candidate) => candidate === mode);
  if (known === undefined)
    return unreadable(annotation('memoryCheck'), mode, `is neither ${CHECK_MODES.join(' nor ')}`);
  for (const [where, value, read] of overrides) {
    if (value === undefined) continue;
    try {
      return { kind: 'rules', policy: { ...read(String(value)), from: where }, mode: known, modeFrom };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      return unreadable(where, value, error.message);
    }
  }
  return { kind: 'rules', policy: defaults.policy, mode: known, modeFrom };
}

/** What is measured for a policy. */
export function machineRequest(
  { accelerator, gpuMemoryBytes }: Pick<MachineRequest, 'accelerator' | 'gpuMemoryBytes'>,
  { absoluteBytes: budgetBytes }: BudgetPolicy,
): MachineRequest {
  return { accelerator, gpuMemoryBytes, budgetBytes };
}

function annotation(name: keyof typeof OVERRIDE_ANNOTATIONS): string {
  return `the annotation ${OVERRIDE_ANNOTATIONS[name]}`;
}

function unreadable(where: string, value: string | number, problem: string): MemoryRules {
  return { kind: 'unreadable', problem: `${where} says ${printable(JSON.stringify(value))}, which ${problem}` };
}

function budget(text: string): BudgetPolicy {
  try {
    return { absoluteBytes: parseQuantity(text, '') };
  } catch {
    throw new UsageError('INVALID_QUANTITY', 'is no amount of memory such as 24Gi');
  }
}

function fraction(text: string): BudgetPolicy {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return { fraction: value };
  throw new UsageError('INVALID_FRACTION', 'is no fraction above 0 and at most 1');
}
