import type { MemoryPromise } from '../../guard/ledger/promise.js';
import type { InferenceServiceResource } from '../../kube/client/api.js';
import { admit, type Admission } from './admission.js';
import { Attempts } from './attempts.js';
import { EVICTED, SETTLED_MS } from '../core/back-off.js';
import { ClaimKeeper } from './claim-keeper.js';
import { isClaimedBy, isClaimedByOther } from '../core/claims.js';
import type { EvictionCandidate } from '../core/eviction.js';
import type { Desired, ServiceProblem } from '../core/desired.js';
import { adoptedReport, incompleteReport, startFailure, type Proof } from '../core/condition-text.js';
import { saidBefore, serverCondition, type FitReport } from '../core/memory-fit.js';
import { memoryRules, type MemoryRules } from '../core/memory-rules.js';
import { type Action, nextAction, type Observed } from '../core/next-action.js';
import { attemptOf, fingerprintOf, type Wanted } from '../core/wanted.js';
import type { OwnProcess } from '../machine/own-servers.js';
import type { ServerEnd, ServerEvents } from '../machine/server-process.js';
import type { RunningRecord, ServerRecord } from '../machine/server-record.js';
import { problem } from '../log.js';
import { Place } from './place.js';
import { ProblemGrace } from './problem-grace.js';
import { proofOf } from './proof.js';
import { Replacement } from './replacement.js';
import type { RunnerHost } from './runner-host.js';
import { adoptedServer, candidate, leaders, startedServer, strayServer, type Running } from './running.js';
import { wishFor, type Wish } from './wish.js';

/** What is to run, and its fingerprint. */
interface Asked {
  readonly run: Wanted;
  readonly wanted: string;
}

/** One service on this host: takes one step at a time, and what takes long goes on beside it. */
export class ServiceRunner {
  running: Running | undefined;
  fit: FitReport | undefined;
  #busy: { readonly with: 'fetching'; readonly fingerprint: string; readonly controller: AbortController } | undefined;
  readonly #attempts = new Attempts();
  readonly #claims: ClaimKeeper;
  /** Why it was ended under memory pressure; it stays so until that is over. */
  #evicted: string | undefined;
  readonly #place = new Place(() => this.host.onFreed());
  /** Nothing was started when it was its turn. */
  #held = false;
  readonly #replacement: Replacement;
  #service: InferenceServiceResource | undefined;
  readonly #problem = new ProblemGrace(() => this.host.enqueue(this.key));
  restarts = 0;
  proof: Proof | undefined;
  /** How the last process came to an end that nobody had asked for. */
  #ending: string | undefined;
  /** What was said of its address when it was last stopped. */
  #told: Promise<void> | undefined;

  constructor(
    readonly key: string,
    private readonly host: RunnerHost,
  ) {
    this.#claims = new ClaimKeeper(key, host);
    this.#replacement = new Replacement(key, host, this.#attempts);
  }

  /** It stays as it is until something else happens. */
  get settled(): boolean {
    if (this.#busy !== undefined || this.#replacement.approved !== undefined) return false;
    if (this.running !== undefined) return this.running.server.state === 'ready';
    return this.fit !== undefined || this.#held;
  }

  /** Nothing of it is left on this host. */
  get idle(): boolean {
    return [this.running, this.#busy, this.#service].every((one) => one === undefined) && !this.#problem.isKnown;
  }

  /** Takes over what an earlier agent has started. */
  adopt(found: RunningRecord): void {
    this.running = adoptedServer(found, this.host, (promise) => this.#events(promise));
    this.host.log.info('adopted', { service: this.key, pid: found.process.pid, port: found.port });
  }

  /**
   * Takes over those of its servers of which nothing is written: they are ended before another one is started.
   * @returns whether there are any
   */
  takeStrays(strays: readonly OwnProcess[]): boolean {
    const known = this.running?.record.process?.pid;
    const found = leaders(strays.filter(({ key, group }) => key === this.key && group !== known));
    for (const stray of found) this.#takeStray(stray);
    return found.length > 0;
  }

  #takeStray(stray: OwnProcess): void {
    this.host.log.warn('found without a record', { service: this.key, pid: stray.pid });
    const isSecond = this.running !== undefined;
    const found = strayServer(stray, this.host, (promise) => (isSecond ? undefined : this.#events(promise)));
    if (isSecond) void found.server.stop().then(() => found.promise.release());
    else this.running = found;
  }

  /** Memory came free: what was refused is tried at once. */
  retry(): void {
    const waits = this.#held || this.fit?.reason === 'InsufficientMemory';
    if (waits && this.#attempts.retry()) this.host.enqueue(this.key);
  }

  /** How much memory it may use, as the cluster says it now. */
  get rules(): MemoryRules | undefined {
    const { run } = this.#wish();
    return run && memoryRules(run.service, run.model, this.host.defaults);
  }

  /** What it would be for others to have its memory; undefined while nothing of it runs. */
  get evictable(): EvictionCandidate | undefined {
    return candidate(this.key, this.running, this.#service?.spec);
  }

  /** Ends it for the sake of others, until `readmit`. */
  evict(why: string): void {
    this.#evicted = why;
    this.#ending = why;
    this.host.teller.evicted(this.#service, this.key, why);
    void this.#stop(false);
  }

  /** The pressure is over. */
  readmit(): void {
    if (this.#evicted === undefined) return;
    this.#evicted = undefined;
    this.host.enqueue(this.key);
  }

  /** The next step. @throws ClusterError; then it is taken again later */
  async step(): Promise<void> {
    const now = performance.now();
    const { id } = this.host.identity;
    const { service, desired, run } = this.#wish();
    const wanted = run && fingerprintOf(run, this.running?.record.fingerprint ?? this.#busy?.fingerprint);
    if (run !== undefined) this.#attempts.about(attemptOf(run));
    const claimed = service.kind === 'there' && isClaimedBy(service.object, id) ? service.object : undefined;
    this.#service = claimed ?? (this.#service && run?.service) ?? this.#service;
    const observed = this.#observed(desired, now);
    const action = nextAction(desired, observed, wanted, now);
    if (action.kind === 'claim') return this.#claim(desired);
    if (action.kind === 'release') return this.#release(desired);
    const asked = run && wanted !== undefined ? { run, wanted } : undefined;
    this.#begin(action, asked, desired.kind !== 'run' || observed.claim === 'others');
    this.#bringUpToDate(asked);
    if (desired.kind !== 'unknown') this.#problem.forget();
    else if (desired.problem) await this.#tellProblem(desired.problem);
    // What runs without its Model still answers, and is still this agent's.
    const told = desired.kind === 'unknown' && this.running !== undefined ? claimed : run?.service;
    if (told !== undefined && observed.claim === 'ours') await this.#tell(told, now);
  }

  /** What goes on beside the next steps. @param forGood what is ended is not followed by another process */
  #begin({ kind }: Action, asked: Asked | undefined, forGood: boolean): void {
    if ((kind === 'start' || kind === 'rehearse') && asked !== undefined) this.#start(asked.run, asked.wanted);
    if (kind === 'stop-process') void this.#stop(forGood);
    if (kind === 'abandon') this.#busy?.controller.abort();
  }

  /** What was kept for a process that is to follow, and what was said of an earlier spec, where nothing is started anew. */
  #bringUpToDate(asked: Asked | undefined): void {
    if (asked === undefined && this.running === undefined && this.#busy === undefined) this.#place.leave();
    if (asked === undefined || this.fit === undefined || this.running?.record.fingerprint !== asked.wanted) return;
    const { generation } = asked.run.service.metadata;
    this.fit = { ...this.#replacement.notNeeded(this.fit), generation };
  }

  /** What runs goes on, and so does what was said of it. */
  async #tellProblem({ service, text, advice }: ServiceProblem): Promise<void> {
    if (this.running !== undefined || this.#busy !== undefined) return;
    if (!this.#problem.hasLasted(text)) return;
    this.fit = incompleteReport(text, advice, service.metadata.generation, 'ModelNotFound');
    await this.host.teller.status(service, this.fit, serverCondition(undefined, this.#ending), undefined);
  }

  #wish(): Wish {
    return wishFor(this.key, this.host.mirror, this.host.identity);
  }

  async #tell(service: InferenceServiceResource, now: number): Promise<void> {
    await this.#claims.keep(service, now);
    const { teller } = this.host;
    const { running } = this;
    if (running && running.isStray !== true)
      this.fit ??= saidBefore(service) ?? adoptedReport(running.record.estimate, undefined);
    const state = running?.server.state;
    if (state !== 'ready') await teller.notReady(service);
    if (this.fit !== undefined)
      await teller.status(service, this.fit, serverCondition(state, this.#ending), this.#promised);
    if (running !== undefined && state === 'ready') await teller.address(service, running.record.port);
  }

  /** What its memory is promised for: a process of it, or the one that follows it. */
  get #promised(): Pick<ServerRecord, 'estimate'> | undefined {
    if (this.running?.isStray === true) return undefined;
    return this.running?.record ?? this.#place.record;
  }

  #observed(desired: Desired, now: number): Observed {
    const { running } = this;
    return {
      claim: this.#claims.of(desired, now),
      process: running && { fingerprint: running.record.fingerprint, state: running.server.state },
      busy: this.#busy,
      approved: this.#replacement.approved,
      failures: this.#evicted === undefined ? this.#attempts.failures : EVICTED,
      traces: this.#service !== undefined,
    };
  }

  async #claim(desired: Desired): Promise<void> {
    if (desired.kind !== 'run' || !(await this.#claims.take(desired.service))) return;
    this.host.log.info('claimed', { service: this.key });
    this.host.enqueue(this.key);
  }

  /** Files, check and spawn, beside everything else; its end is another step. */
  #start(run: Wanted, wanted: string): void {
    const attempt = attemptOf(run);
    if (this.#holdsBack(attempt)) return;
    if (this.running !== undefined) return this.#rehearse(run, wanted);
    if (this.takeStrays(this.host.ownServers.running())) return this.host.enqueue(this.key);
    const controller = new AbortController();
    this.#busy = { with: 'fetching', fingerprint: wanted, controller };
    admit({ ...run, key: this.key, fingerprint: wanted }, this.host, controller.signal)
      .then((admission) => {
        this.#busy = undefined;
        if (controller.signal.aborted && admission.kind === 'refused') return;
        this.#admitted(admission, attempt);
      })
      .catch((error: unknown) => {
        this.#busy = undefined;
        this.#attempts.failed(attempt);
        this.fit = incompleteReport(startFailure(error), [], run.service.metadata.generation);
        this.host.log.error('start failed', { service: this.key, ...problem(error) });
      })
      .finally(() => {
        this.#place.leave();
        this.host.enqueue(this.key);
      });
  }

  /** While starts are held it waits for `retry`. */
  #holdsBack(attempt: string): boolean {
    const held = this.host.holdStarts();
    this.#held = held !== undefined;
    if (held === undefined) return false;
    this.#attempts.postpone(attempt);
    this.#place.leave();
    this.host.log.warn('held', { service: this.key, reason: held });
    return true;
  }

  #admitted(admission: Admission, attempt: string): void {
    this.fit = admission.report;
    const { reason, message } = admission.report;
    this.host.log.info('checked', { service: this.key, reason, message });
    if (admission.kind === 'refused') return this.#attempts.refused(attempt, reason);
    const { started, record, releasePort } = admission;
    this.running = startedServer(admission, this.host, this.#events(started, releasePort));
    this.host.log.info('started', { service: this.key, pid: started.entry.pid, port: record.port });
  }

  #events(promise: MemoryPromise, releasePort: () => void = () => undefined): ServerEvents {
    return {
      onChange: () => {
        if (this.running?.server.state === 'ready') {
          releasePort();
          void promise.markResident();
          this.#ending = undefined;
          this.#prove();
        }
        this.host.enqueue(this.key);
      },
      onEnd: (end) => {
        releasePort();
        this.#ended(end);
      },
    };
  }

  /** Nobody else checks an estimate against what was then allocated. */
  #prove(): void {
    const { running, fit } = this;
    if (running?.check === undefined || fit === undefined) return;
    const proven = proofOf(running.check, running.record, fit, this.host.llamaServer.current.build);
    running.check = undefined;
    if (proven === undefined) return;
    this.fit = proven.report;
    this.proof = proven.proof;
    this.host.log.info('proven', { service: this.key, ...proven.proof });
    this.host.teller.proof(this.#service, this.key, proven);
  }

  #ended(end: ServerEnd): void {
    const { running } = this;
    this.running = undefined;
    this.#replacement.forget();
    if (running === undefined) return;
    this.host.records.remove(this.key);
    this.host.log.info('ended', { service: this.key, reason: end.text });
    // One that this agent gave up on has failed; one that nobody wants any more, or that another takes the place of, has not.
    const isCrash = !end.wanted || (running.server.readyAtMs === undefined && running.dismissed !== true);
    if (isCrash) this.#crashed(running, end);
    this.#place.vacate(running);
    this.host.enqueue(this.key);
  }

  #crashed({ server }: Running, { text, wanted }: ServerEnd): void {
    const hadSettled = server.readyAtMs !== undefined && performance.now() - server.readyAtMs > SETTLED_MS;
    this.restarts += 1;
    const { run } = this.#wish();
    this.#attempts.failed(run === undefined ? '' : attemptOf(run), hadSettled);
    const { count } = this.#attempts;
    if (this.#evicted === undefined) this.#place.keepAfterCrash(count);
    this.#ending = `${wanted ? 'llama-server was not ready in time' : text} (${count} in a row)`;
    this.host.teller.crashed(this.#service, this.key, this.#ending);
  }

  /** What runs is only ended for what has room then; until then it goes on, and it is said why. */
  #rehearse(run: Wanted, wanted: string): void {
    const controller = new AbortController();
    this.#busy = { with: 'fetching', fingerprint: wanted, controller };
    void this.#replacement.rehearse(run, wanted, this.fit, controller.signal).then((report) => {
      this.#busy = undefined;
      if (this.running !== undefined) this.fit = report;
      this.host.enqueue(this.key);
    });
  }

  /** @param forGood where another process follows, what is registered stays, not ready meanwhile: clients keep the Service's address */
  async #stop(forGood: boolean): Promise<void> {
    const { running } = this;
    const { teller, identity, log } = this.host;
    if (running === undefined) return;
    running.dismissed = running.server.state !== 'unhealthy';
    this.#place.keep(!forGood && this.#evicted === undefined && running.dismissed);
    log.info('stopping', { service: this.key, pid: running.server.pid });
    const service = this.#service;
    const isOurs = service !== undefined && !isClaimedByOther(service, identity.id);
    const told = isOurs ? (forGood ? teller.withdraw(service) : teller.notReady(service)) : undefined;
    this.#told = told?.catch(() => undefined);
    await running.server.stop();
  }

  async #release(desired: Desired): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    const why = desired.kind === 'stop' ? desired.why : 'claimed by another agent';
    // What is still being said of the address would bring it back.
    await this.#told;
    if (!isClaimedByOther(service, this.host.identity.id)) await this.host.teller.release(service, why);
    this.host.log.info('released', { service: this.key, reason: why });
    this.#service = undefined;
    this.fit = undefined;
    this.#attempts.forget();
    this.#place.leave();
    this.#evicted = undefined;
  }
}
