import type { InferredFlags } from '@oclif/core/interfaces';
import { join, resolve } from 'node:path';
import { defaultAgentId } from '../../agent/agent.js';
import type { AgentOptions } from '../../agent/agent-options.js';
import { reachableAddress } from '../../agent/host-address.js';
import type { CheckMode } from '../../agent/core/memory-rules.js';
import type { BudgetPolicy } from '../../budget/budget-policy.js';
import { parseQuantity } from '../../budget/quantity.js';
import { UsageError } from '../../errors.js';
import { stateFolderPath } from '../../guard/ledger/state-folder.js';
import { defaultAccelerator } from '../../host/measure-host.js';
import type { Accelerator } from '../../runtime/launch-options.js';
import { parseDuration } from '../flags/values/duration.js';
import type { agentFlags } from './agent-flags.js';

type Text = string | undefined;

/** As oclif has read them. */
export type AgentFlagValues = InferredFlags<typeof agentFlags>;

/**
 * @param variables the environment variable of each flag that was said by one
 * @throws UsageError for a value that cannot be
 */
export function agentOptions(
  flags: AgentFlagValues,
  variables: ReadonlyMap<string, string>,
  cacheDir: string,
  version: string,
): AgentOptions {
  const gpuMemory = flags['gpu-memory'];
  return {
    identity: {
      id: flags['agent-id'] ?? defaultAgentId(),
      accelerator: (flags.accelerator as Accelerator | undefined) ?? defaultAccelerator(),
      allowlist: list(flags['inference-service-allowlist']),
    },
    namespace: flags.namespace === '' ? undefined : flags.namespace,
    defaults: {
      policy: policyOf(flags, variables),
      mode: flags['memory-check-mode'] as CheckMode,
      modeFrom: variables.get('memory-check-mode') ?? '--memory-check-mode',
    },
    gpuMemoryBytes: gpuMemory === undefined ? undefined : parseQuantity(gpuMemory, '--gpu-memory'),
    hostIp: hostIp(flags['host-ip']),
    port: wholeNumber(flags.port, '--port') ?? 0,
    startupMs: parseDuration(flags['llama-server-startup-timeout'], '--llama-server-startup-timeout'),
    eviction: flags.eviction,
    threads: wholeNumber(flags.threads, '--threads'),
    store: {
      folder: resolve(flags['model-store'] ?? join(stateFolderPath(), 'models')),
      allowedRoots: (list(flags['allowed-model-roots']) ?? []).map((root) => resolve(root)),
      allowedHosts: list(flags['allowed-download-hosts']) ?? [],
    },
    cacheDir,
    version,
    once: flags.once,
  };
}

/** LLMKube's own agent takes a fraction of 0 for "by the machine's size". */
function policyOf(
  { 'memory-budget': budget, 'memory-fraction': fraction }: AgentFlagValues,
  variables: ReadonlyMap<string, string>,
): BudgetPolicy {
  const from = (flag: string): string => variables.get(flag) ?? `--${flag}`;
  if (budget !== undefined)
    return { absoluteBytes: parseQuantity(budget, '--memory-budget'), from: from('memory-budget') };
  if (fraction === undefined || Number(fraction) === 0) return {};
  const share = Number(fraction);
  if (share > 0 && share <= 1) return { fraction: share, from: from('memory-fraction') };
  throw new UsageError('INVALID_FRACTION', `--memory-fraction ${fraction} is not a fraction above 0 and at most 1`);
}

function hostIp(text: Text): Text {
  if (text !== 'auto') return text === '' ? undefined : text;
  const found = reachableAddress();
  if (found !== undefined) return found;
  throw new UsageError('NO_ADDRESS', 'this host has no address that others could reach', {
    suggestions: ['name one with --host-ip'],
  });
}

/** Separated by commas, or said several times; oclif gives what it has from the environment as one text. */
function list(said: string | readonly string[] | undefined): readonly string[] | undefined {
  const words = [said ?? []].flat().flatMap((text) => text.split(','));
  const named = words.map((word) => word.trim()).filter((word) => word !== '');
  return named.length === 0 ? undefined : named;
}

function wholeNumber(text: Text, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new UsageError('INVALID_NUMBER', `${flag} ${text} is not a whole number`);
}
