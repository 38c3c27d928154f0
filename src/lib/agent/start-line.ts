import { gpuBudget, memoryBudget } from '../budget/budget-policy.js';
import { besideLedger } from '../guard/ledger/measure-beside-ledger.js';
import { machineRequest } from './core/memory-rules.js';
import { formatSize } from '../report/words/bytes.js';
import type { AgentOptions, AgentParts } from './agent-options.js';

/** What everything else rests on, for the first line of the log. @throws CheckIncompleteError for a machine that cannot be measured */
export async function startLine(
  { identity, defaults, hostIp, namespace, gpuMemoryBytes, version }: AgentOptions,
  { measure, llamaServer }: Pick<AgentParts, 'measure' | 'llamaServer'>,
): Promise<Readonly<Record<string, string | number>>> {
  const { accelerator } = identity;
  const { policy, mode } = defaults;
  const host = await besideLedger(measure)(machineRequest({ accelerator, gpuMemoryBytes }, policy));
  const budget = memoryBudget(host, policy);
  const gpu = accelerator === 'cpu' ? undefined : gpuBudget(host);
  return {
    ...{ agent: identity.id, version, accelerator, mode, namespace: namespace ?? 'all' },
    total: formatSize(host.totalBytes),
    inUse: formatSize(host.inUseBytes),
    promised: formatSize(host.promisedBytes ?? 0),
    ...(budget.kind === 'fraction' && { fraction: budget.fraction }),
    budget: formatSize(Math.max(0, budget.bytes)),
    budgetBytes: budget.bytes,
    ...(gpu && { gpuLimit: formatSize(gpu.bytes) }),
    llamaServer: llamaServer.current.path,
    build: llamaServer.current.build ?? 'unknown',
    registered: hostIp ?? 'no: give --host-ip for the cluster to reach services of this host',
  };
}
