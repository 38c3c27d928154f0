import { type BudgetPolicy, gpuBudget, memoryBudget } from '../../budget/budget-policy.js';
import type { LedgerEntry } from '../../guard/ledger/ledger.js';
import { besideLedger } from '../../guard/ledger/measure-beside-ledger.js';
import type { HostMemory } from '../../host/host-memory.js';
import type { MeasureHost } from '../../host/measure-host.js';
import { cpuArchHere } from '../../host/probe.js';
import type { KubeClient } from '../../kube/client/client.js';
import { hostConfigMap, hostPath, type HostReport } from '../../kube/hosts.js';
import type { AgentIdentity } from '../core/desired.js';
import { machineRequest, type MemoryDefaults } from '../core/memory-rules.js';
import { problem, type AgentLog } from '../log.js';
import type { CurrentLlamaServer } from '../machine/llama-server.js';
import { AGENT_MANAGER } from './service-writer.js';

interface PublishedHost {
  readonly identity: AgentIdentity;
  readonly namespace: string;
  readonly defaults: MemoryDefaults;
  readonly gpuMemoryBytes: number | undefined;
  /** As `takeAgentName` returns it. */
  readonly instance?: string | undefined;
}

/** A service that runs here, and how much it may use. */
export interface RunningService {
  /** `namespace/name`. */
  readonly key: string;
  readonly policy: BudgetPolicy;
}

interface Means {
  readonly client: Pick<KubeClient, 'objects'>;
  readonly llamaServer: Pick<CurrentLlamaServer, 'current'>;
  readonly measure: MeasureHost;
  readonly log: AgentLog;
}

/** How often the cluster hears of this host, where nothing starts or ends. */
const PUBLISH_MS = 90_000;

const LONGEST_END_MS = 2_000;

/** Tells the cluster what this host has, and by which rules it decides. */
export class HostPublisher {
  #publishedAtMs = -Infinity;
  #published = '';
  #services: readonly RunningService[] = [];

  constructor(
    private readonly host: PublishedHost,
    private readonly means: Means,
  ) {}

  /**
   * Not more often than needed, and at once when something was promised or given back: others decide by it. One that fails
   * is made up for by the next.
   * @param services those that run here @param promised to whomever on this host
   */
  async publish(
    services: readonly RunningService[],
    promised: readonly Pick<LedgerEntry, 'requirement'>[],
  ): Promise<void> {
    const now = JSON.stringify([services, promised.map(({ requirement }) => requirement)]);
    if (now === this.#published && performance.now() - this.#publishedAtMs < PUBLISH_MS) return;
    try {
      await this.#say(await this.#report(services));
      this.#publishedAtMs = performance.now();
      this.#published = now;
      this.#services = services;
    } catch (error) {
      this.means.log.debug('not published', problem(error));
    }
  }

  /** Says that nothing more will be said: another agent may take the name at once. Waits for no cluster that does not answer. */
  async end(): Promise<void> {
    if (this.#published === '') return;
    const said = this.#report(this.#services)
      .then((report) => this.#say({ ...report, ended: true }))
      .catch(() => undefined);
    await Promise.race([said, new Promise((resolve) => void setTimeout(resolve, LONGEST_END_MS).unref())]);
  }

  async #say(report: HostReport): Promise<void> {
    const { identity, namespace } = this.host;
    const path = hostPath(identity.id, namespace);
    const by = { manager: AGENT_MANAGER, force: true };
    await this.means.client.objects.apply(path, hostConfigMap(report, namespace), by);
  }

  async #report(services: readonly RunningService[]): Promise<HostReport> {
    const { identity, gpuMemoryBytes, defaults, instance } = this.host;
    const { accelerator, id } = identity;
    const { policy } = defaults;
    const memory = await besideLedger(this.means.measure)(machineRequest({ accelerator, gpuMemoryBytes }, policy));
    const count = accelerator === 'cpu' ? 0 : (memory.gpus?.length ?? 1);
    const gpus = Array.from({ length: count }, (_, gpu) => gpuBudget(memory, gpu));
    return {
      ...(instance !== undefined && { instance }),
      ...{ agent: id, accelerator, totalBytes: memory.totalBytes, inUseBytes: memory.inUseBytes },
      promisedBytes: memory.promisedBytes ?? 0,
      budgetBytes: memoryBudget(memory, policy).bytes,
      gpuBudgetBytes: gpus.flatMap((budget) => (budget === undefined ? [] : [budget.bytes])),
      build: this.means.llamaServer.current.build,
      services: services.map(({ key }) => key),
      overrides: services
        .filter((one) => one.policy !== policy)
        .map(({ key, policy: own }) => ({
          service: key,
          from: own.from ?? '',
          budgetBytes: memoryBudget(memory, own).bytes,
        })),
      heartbeat: new Date().toISOString(),
      check: { cpuArch: cpuArchHere(), memory: forOthers(memory), policy },
    };
  }
}

/** Without who holds what: that is nobody else's business, and no check rests on it. */
function forOthers({ gpus, ...memory }: HostMemory): HostMemory {
  return {
    ...memory,
    ...(gpus && {
      gpus: gpus.map(({ index, name, totalBytes, usedBytes, promisedBytes = 0 }) => ({
        index,
        name,
        totalBytes,
        usedBytes,
        promisedBytes,
      })),
    }),
  };
}
