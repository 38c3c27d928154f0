import type { MeasureHost } from '../host/measure-host.js';
import type { MemoryPressure } from '../host/memory-pressure.js';
import type { KubeClient } from '../kube/client/client.js';
import type { AgentIdentity } from './core/desired.js';
import type { MemoryDefaults } from './core/memory-rules.js';
import type { AgentLog } from './log.js';
import type { CurrentLlamaServer } from './machine/llama-server.js';
import type { StoreOptions } from './store/model-store.js';

export interface AgentOptions {
  readonly identity: AgentIdentity;
  /** Unset = all namespaces. */
  readonly namespace: string | undefined;
  readonly defaults: MemoryDefaults;
  readonly gpuMemoryBytes: number | undefined;
  /** Address that servers listen on and are registered by; unset = this machine only, not registered. */
  readonly hostIp: string | undefined;
  /** Of the agent's own HTTP; 0 = none. */
  readonly port: number;
  readonly startupMs: number;
  /** Under critical memory pressure services are ended, one after the other. */
  readonly eviction: boolean;
  readonly threads: number | undefined;
  readonly store: Omit<StoreOptions, 'cacheDir' | 'env'>;
  readonly cacheDir: string;
  readonly version: string;
  /** Take every service to where it stays, then end. */
  readonly once: boolean;
}

export interface AgentParts {
  readonly client: KubeClient;
  readonly llamaServer: CurrentLlamaServer;
  readonly measure: MeasureHost;
  readonly pressure: () => Promise<MemoryPressure | undefined>;
  readonly log: AgentLog;
  readonly signal: AbortSignal;
  /** How often it looks at the machine and at others. */
  readonly tickMs?: number;
}
