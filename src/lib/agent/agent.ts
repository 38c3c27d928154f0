import { hostname } from 'node:os';
import type { BudgetPolicy } from '../budget/budget-policy.js';
import { memoryBudget } from '../budget/budget-policy.js';
import { totalBytes } from '../estimate/memory-estimate.js';
import { besideLedger, promisedHere } from '../guard/ledger/measure-beside-ledger.js';
import { openStateFolder, stateFolderPath } from '../guard/ledger/state-folder.js';
import { linuxProcessMemory } from '../host/processes/process-memory.js';
import { findProcessHere, glanceAtProcesses } from '../host/processes/processes.js';
import type { AgentOptions, AgentParts } from './agent-options.js';
import { keyOf, Mirror } from './cluster/mirror.js';
import { HostPublisher, type RunningService } from './cluster/host-publisher.js';
import { Registration } from './cluster/registration.js';
import { refuseTwin } from './cluster/twin.js';
import { ServiceWriter } from './cluster/service-writer.js';
import { isClaimedBy, SeenHeartbeats } from './core/claims.js';
import { machineRequest } from './core/memory-rules.js';
import { draftModelKey } from './core/wanted.js';
import { serveHttp } from './http-server.js';
import { KeyQueue } from './key-queue.js';
import { problem } from './log.js';
import { PressureWatch } from './pressure-watch.js';
import { abandonedServers } from './machine/abandoned.js';
import { OwnServers } from './machine/own-servers.js';
import { takeAgentName } from './machine/sole-agent.js';
import { ServerRecords } from './machine/server-record.js';
import type { ServiceFigures } from './metrics.js';
import type { RunnerHost } from './service/runner-host.js';
import { ServiceRunner } from './service/service-runner.js';
import { SingleRound } from './single-round.js';
import { startLine } from './start-line.js';
import { ModelStore } from './store/model-store.js';
import { sweepStore } from './store/sweep.js';
import { Teller } from './service/teller.js';
import { wishFor } from './service/wish.js';

const TICK_MS = 10_000;
const SWEEP_MS = 600_000;

/** Ends with the signal; the servers go on, and the next agent takes them over. */
export async function runAgent(options: AgentOptions, parts: AgentParts): Promise<void> {
  const stateFolder = openStateFolder(stateFolderPath());
  const instance = await takeAgentName(stateFolder, options.identity.id, findProcessHere());
  const agent = new Agent(options, parts, stateFolder, instance);
  await agent.run();
}

export function defaultAgentId(): string {
  return hostname().toLowerCase();
}

class Agent {
  readonly #runners = new Map<string, ServiceRunner>();
  readonly #queue: KeyQueue;
  readonly #mirror: Mirror;
  readonly #host: RunnerHost;
  #promised = 0;
  readonly #publisher: HostPublisher;
  /** No other machine has an agent of this name. */
  readonly #alone: Promise<void>;
  #isAlone = false;
  /** Whatever waits for the cluster does so no longer. */
  readonly #ending = new AbortController();
  readonly #round = new SingleRound();
  readonly #pressure: PressureWatch;
  #sweptAtMs = -Infinity;

  constructor(
    private readonly options: AgentOptions,
    private readonly parts: AgentParts,
    stateFolder: string,
    instance: string,
  ) {
    const { client, log, llamaServer, measure } = parts;
    const signal = AbortSignal.any([parts.signal, this.#ending.signal]);
    const { identity, hostIp, namespace } = options;
    const find = findProcessHere();
    this.#queue = new KeyQueue(
      (key) => this.#step(key),
      (key, error) => {
        this.#round.fails(error);
        log.warn('again later', { service: key, ...problem(error) });
      },
    );
    this.#mirror = new Mirror(client, {
      namespace,
      signal,
      onService: this.#queue.add,
      onModel: (key) => this.#onModel(key),
      onReachable: (error) => {
        this.#round.fails(error);
        if (error) log.warn('cluster unreachable', problem(error));
        else log.info('cluster reachable');
      },
      onSynced: () => this.#lookAtAll(),
      isOurs: (key) => this.#runners.has(key),
    });
    const own = { id: identity.id, namespace: namespace ?? 'default', instance };
    this.#alone = refuseTwin(client.objects, own, signal);
    // Whoever waits for it hears of its failure.
    this.#alone.then(
      () => (this.#isAlone = true),
      () => undefined,
    );
    this.#pressure = this.#watchPressure();
    this.#publisher = new HostPublisher({ ...options, ...own }, parts);
    const registration = hostIp === undefined ? undefined : new Registration(client.objects, options.version);
    const teller = new Teller(new ServiceWriter(client, identity.id), registration, log, hostIp ?? '');
    this.#host = {
      ...{ identity, llamaServer, measure, log, teller, stateFolder },
      ...{ accelerator: identity.accelerator, threads: options.threads, defaults: options.defaults },
      ...{ gpuMemoryBytes: options.gpuMemoryBytes, cacheDir: options.cacheDir, startupMs: options.startupMs },
      listenHost: hostIp ?? '127.0.0.1',
      mirror: this.#mirror,
      objects: client.objects,
      heartbeats: new SeenHeartbeats(),
      store: new ModelStore({ ...options.store, cacheDir: options.cacheDir, env: process.env }, client.objects),
      records: new ServerRecords(stateFolder, identity.id),
      ownServers: new OwnServers(stateFolder, identity.id, find),
      ...{ find, glance: glanceAtProcesses(find) },
      enqueue: this.#queue.add,
      onFreed: () => this.#retryRefused(),
      holdStarts: () => this.#whyHeld(),
    };
  }

  async run(): Promise<void> {
    this.parts.log.info('agent started', await startLine(this.options, this.parts));
    this.#adopt();
    const http = this.options.port === 0 ? undefined : await this.#serve();
    const following = this.#mirror.run();
    const tick = setInterval(() => void this.#tick(), this.parts.tickMs ?? TICK_MS);
    try {
      const round = {
        synced: () => this.#mirror.synced,
        settled: () => [...this.#runners.values()].every((runner) => runner.settled),
      };
      const end = this.options.once ? this.#round.end(round, this.parts.signal) : following;
      await Promise.race([end, this.#alone.then(() => end)]);
    } finally {
      this.#ending.abort();
      clearInterval(tick);
      http?.close();
      await this.#queue.stop();
      await this.#publisher.end();
      for (const { running } of this.#runners.values()) running?.server.leave();
    }
  }

  /** What an earlier agent has started and still runs is this agent's. */
  #adopt(): void {
    const { entries, warning } = promisedHere();
    if (warning !== undefined) this.parts.log.warn('ledger', { warning });
    for (const record of this.#host.records.alive(entries, this.#host.find)) {
      this.#runnerOf(record.key).adopt(record);
    }
    const { stateFolder, find, identity } = this.#host;
    for (const { agent, services } of abandonedServers(stateFolder, identity.id, entries, find)) {
      const advice = `run it with --agent-id ${agent}, or end them`;
      this.parts.log.warn('servers of an agent that does not run', { agent, services: services.join(', '), advice });
    }
    // What no record tells of must not be loaded a second time, nor go on with nobody to watch it.
    const strays = this.#host.ownServers.running(entries);
    for (const key of new Set(strays.map((stray) => stray.key))) this.#runnerOf(key).takeStrays(strays);
  }

  async #serve() {
    const { createMetrics } = await import('./metrics.js');
    const registry = createMetrics({
      services: () => [...this.#runners.values()].map((runner) => this.#figures(runner)),
      budgetBytes: async () => (await this.#budget(this.options.defaults.policy)).bytes,
      pressureLevel: () => this.#pressure.level,
      watchFailures: () => this.#mirror.watchFailures,
      availableBytes: async () => {
        const { accelerator } = this.options.identity;
        const host = await this.parts.measure({ accelerator, gpuMemoryBytes: this.options.gpuMemoryBytes });
        return host.totalBytes - host.inUseBytes;
      },
    });
    return serveHttp(this.options.port, {
      notReady: () => (this.#mirror.reachable ? undefined : 'the Kubernetes API is not reachable'),
      metrics: async () => ({ type: registry.contentType, text: await registry.metrics() }),
    });
  }

  async #budget(policy: BudgetPolicy) {
    const { identity, gpuMemoryBytes } = this.options;
    const request = machineRequest({ accelerator: identity.accelerator, gpuMemoryBytes }, policy);
    return memoryBudget(await besideLedger(this.parts.measure)(request), policy);
  }

  #figures({ key, running, restarts, proof }: ServiceRunner): ServiceFigures {
    return {
      ...{ key, restarts, running: running !== undefined },
      healthy: running?.server.state === 'ready',
      estimatedBytes: running && totalBytes(running.record.estimate),
      measuredBytes: running && proof?.measuredBytes,
      residentBytes: running && linuxProcessMemory(running.server.pid)?.anonymousBytes,
    };
  }

  #runningServices(): readonly RunningService[] {
    const { defaults } = this.options;
    const running = [...this.#runners.values()].filter((runner) => runner.running !== undefined);
    return running.map(({ key, rules }) => ({ key, policy: rules?.kind === 'rules' ? rules.policy : defaults.policy }));
  }

  async #step(key: string): Promise<void> {
    await this.#alone;
    const known = this.#runners.get(key);
    if (known === undefined && !this.#mayBeOurs(key)) return;
    const runner = this.#runnerOf(key);
    await runner.step();
    if (runner.idle) this.#runners.delete(key);
  }

  /** Hundreds of services of others cost nothing here. */
  #mayBeOurs(key: string): boolean {
    const { identity } = this.options;
    const { service, desired } = wishFor(key, this.#mirror, identity);
    if (service.kind !== 'there') return false;
    if (desired.kind === 'unknown') return desired.problem !== undefined;
    return desired.kind === 'run' || isClaimedBy(service.object, identity.id);
  }

  #runnerOf(key: string): ServiceRunner {
    const known = this.#runners.get(key);
    if (known !== undefined) return known;
    const runner = new ServiceRunner(key, this.#host);
    this.#runners.set(key, runner);
    return runner;
  }

  #onModel(modelKey: string): void {
    for (const service of this.#mirror.services()) {
      const own = `${service.metadata.namespace}/${service.spec.modelRef}`;
      if (own === modelKey || draftModelKey(service) === modelKey) this.#queue.add(keyOf(service));
    }
  }

  /** What is missing is known now, too: services that run here, and Models. */
  #lookAtAll(): void {
    for (const key of this.#runners.keys()) this.#queue.add(key);
    for (const service of this.#mirror.services()) this.#queue.add(keyOf(service));
  }

  /** Heartbeats, back-off that is over, and memory that others have given back. */
  async #tick(): Promise<void> {
    await this.#pressure.look();
    const { entries } = promisedHere(process.env, this.#host.glance);
    if (this.#isAlone && this.#mirror.reachable) await this.#publisher.publish(this.#runningServices(), entries);
    if (entries.length < this.#promised) this.#retryRefused();
    this.#promised = entries.length;
    for (const key of this.#runners.keys()) this.#queue.add(key);
    if (!this.#mirror.synced) return;
    if (this.#mirror.reachable) this.#sweep();
    this.#host.heartbeats.keepOnly(new Set(this.#mirror.services().map(keyOf)));
    // Others' heartbeats are told by looking at them.
    for (const service of this.#mirror.services()) if (this.#mayBeOurs(keyOf(service))) this.#queue.add(keyOf(service));
  }

  /** Models that nobody names any more leave the disk. */
  #sweep(): void {
    if (performance.now() - this.#sweptAtMs < SWEEP_MS) return;
    this.#sweptAtMs = performance.now();
    const inUse = [...this.#runners.values()].flatMap(({ running }) => running?.record.args ?? []);
    const { folder } = this.options.store;
    const models = this.#mirror.models();
    try {
      const removed = sweepStore({ folder, namespace: this.options.namespace, models, inUse, nowMs: Date.now() });
      for (const path of removed) this.parts.log.info('model removed', { path });
    } catch (error) {
      this.parts.log.warn('models not cleared away', problem(error));
    }
  }

  #watchPressure(): PressureWatch {
    const { pressure, log } = this.parts;
    return new PressureWatch(
      { measure: pressure, log, eviction: this.options.eviction },
      {
        evictable: () => [...this.#runners.values()].flatMap(({ evictable }) => evictable ?? []),
        evict: (key, why) => this.#runners.get(key)?.evict(why),
        onChange: (condition) => (this.#host.teller.pressure = condition),
        onOver: () => {
          for (const runner of this.#runners.values()) runner.readmit();
          this.#retryRefused();
        },
      },
    );
  }

  #whyHeld(): string | undefined {
    if (this.#pressure.critical !== undefined) return this.#pressure.critical;
    const isStray = [...this.#runners.values()].some(({ running }) => running?.isStray === true);
    return isStray ? 'a server of which nothing is written still runs, and what it takes is not known' : undefined;
  }

  #retryRefused(): void {
    for (const runner of this.#runners.values()) runner.retry();
  }
}
