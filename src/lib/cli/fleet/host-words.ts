import { memoryBudget, type BudgetPolicy } from '../../budget/budget-policy.js';
import type { HostMemory } from '../../host/host-memory.js';
import type { HostReport } from '../../kube/hosts.js';
import { isDiscrete } from '../../preflight/judge/judge.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { shellWord } from '../../shell-word.js';

const MIB = 2 ** 20;

/**
 * What a deploy to one host of the cluster is to be told, flags with their values: the agent that may run it, what runs it there, and the memory that its
 * agent has published, by which the deploy then checks again.
 * @param policy the rules that it was checked by
 */
export function hostWords(
  { agent, check }: HostReport,
  accelerator: Accelerator,
  policy: BudgetPolicy,
  llamaCpp: string | undefined,
): readonly string[] {
  return [
    `--accelerator ${accelerator}`,
    `--agent ${shellWord(agent)}`,
    ...(check === undefined ? [] : [...machineWords(check.memory, policy), ...gpuWords(check.memory, accelerator)]),
    ...(llamaCpp === undefined ? [] : [`--llama-cpp ${llamaCpp}`]),
  ];
}

/** The memory that limits there, machine or container, with what is promised as in use. */
function machineWords(memory: HostMemory, policy: BudgetPolicy): readonly string[] {
  const budget = memoryBudget(memory, policy);
  if (budget.kind !== 'fraction') return [`--memory-budget ${least(policy.absoluteBytes ?? budget.bytes)}`];
  const takenBytes = budget.inUseBytes + (budget.promisedBytes ?? 0);
  const fraction = policy.fraction === undefined ? [] : [`--memory-fraction ${policy.fraction}`];
  return [`--system-memory ${least(budget.totalBytes)}`, `--in-use ${Math.ceil(takenBytes / MIB)}Mi`, ...fraction];
}

function gpuWords(
  { gpus = [], gpuWired, gpuWiredLimitBytes, unifiedMemory }: HostMemory,
  accelerator: Accelerator,
): readonly string[] {
  if (accelerator === 'metal') {
    if (gpuWiredLimitBytes === undefined) return [];
    const takenBytes = (gpuWired?.inUseBytes ?? 0) + (gpuWired?.promisedBytes ?? 0);
    return [`--gpu-wired-limit ${least(gpuWiredLimitBytes - takenBytes)}`];
  }
  if (!isDiscrete(accelerator)) return [];
  const free = gpus.map(({ totalBytes, usedBytes, promisedBytes = 0 }) => totalBytes - usedBytes - promisedBytes);
  return [
    ...(free.length === 0 ? [] : [`--gpu-memory ${free.map(least).join()}`]),
    ...(unifiedMemory ? ['--unified-memory'] : []),
  ];
}

function least(bytes: number): string {
  return `${Math.max(1, Math.floor(bytes / MIB))}Mi`;
}
