import { LlmkubeError } from '../../errors.js';
import type { InferenceServiceResource } from '../../kube/client/api.js';
import type { Registration } from '../cluster/registration.js';
import type { EventType, OwnStatus, ServiceWriter } from '../cluster/service-writer.js';
import { CLAIM_ANNOTATIONS, MEMORY_FIT } from '../../kube/host-record.js';
import { requirementText } from '../core/condition-text.js';
import {
  conditionOf,
  fitCondition,
  isTransition,
  timed,
  type FitReport,
  type OwnCondition,
} from '../core/memory-fit.js';
import { problem, type AgentLog } from '../log.js';
import type { ServerRecord } from '../machine/server-record.js';
import type { Proven } from './proof.js';

/** An address is confirmed this often: the operator takes one for dead after three minutes. */
const ADDRESS_HEARTBEAT_MS = 60_000;

interface Registered {
  readonly port: number;
  readonly ready: boolean;
  readonly atMs: number;
  /** Somebody else has the name. */
  readonly conflicts?: boolean;
}

/** What the cluster is told about the services of this host. */
export class Teller {
  readonly #registered = new Map<string, Registered>();
  /** Null where nothing is promised to it. */
  readonly #requirements = new Map<string, string | null>();
  /** What was said last: the cluster's own copy comes back later. */
  readonly #verdicts = new Map<string, FitReport>();
  readonly #withdrawn = new Set<string>();
  /** The condition of memory pressure, told for every service that runs here. */
  pressure: OwnCondition | undefined;

  constructor(
    private readonly writer: ServiceWriter,
    private readonly registration: Registration | undefined,
    private readonly log: AgentLog,
    private readonly ip: string,
  ) {}

  claim(service: InferenceServiceResource, annotations: Readonly<Record<string, string>>) {
    return this.writer.claim(service, annotations);
  }

  /** Conditions and scheduling fields; an event when the verdict is another one. */
  async status(
    service: InferenceServiceResource,
    report: FitReport,
    server: OwnCondition,
    record: Pick<ServerRecord, 'estimate'> | undefined,
  ): Promise<void> {
    const before = conditionOf(service, MEMORY_FIT);
    const condition = fitCondition(report);
    const own = [condition, server, ...(this.pressure ? [this.pressure] : [])];
    const now = new Date();
    const status: OwnStatus = {
      conditions: own.map((one) => timed(one, conditionOf(service, one.type), now)),
      ...(report.scheduling && {
        schedulingStatus: report.scheduling.status,
        schedulingMessage: report.scheduling.message,
      }),
    };
    await this.writer.say(service, status);
    await this.#requirement(service, record);
    const { uid = '' } = service.metadata;
    const last = this.#verdicts.get(uid) ?? before;
    this.#verdicts.set(uid, report);
    if (!isTransition(last, report)) return;
    const type = condition.status === 'True' ? 'Normal' : 'Warning';
    this.#event(service, type, report.reason, report.message);
  }

  /** Registers where it answers: when that changes, and as a heartbeat, which brings back what somebody has removed. */
  async address(service: InferenceServiceResource, port: number): Promise<void> {
    await this.#register(service, { port, ready: true });
  }

  /** What is registered does not answer now; what an earlier agent has registered, and is not known here, goes. */
  async notReady(service: InferenceServiceResource): Promise<void> {
    const { uid = '' } = service.metadata;
    const last = this.#registered.get(uid);
    if (last !== undefined) return this.#register(service, { port: last.port, ready: false });
    if (this.#withdrawn.has(uid)) return;
    await this.registration?.withdraw(service);
    this.#withdrawn.add(uid);
  }

  async #register(
    service: InferenceServiceResource,
    { port, ready }: Pick<Registered, 'port' | 'ready'>,
  ): Promise<void> {
    const { uid = '' } = service.metadata;
    const last = this.#registered.get(uid);
    const now = performance.now();
    const isSame = last?.port === port && last.ready === ready;
    if (this.registration === undefined || (isSame && now - last.atMs < ADDRESS_HEARTBEAT_MS)) return;
    // At once, so that nobody who asks meanwhile says it a second time.
    this.#registered.set(uid, { port, ready, atMs: now });
    try {
      const address = { ip: this.ip, port, ready };
      // What is registered was found to be this service's own when it was.
      if (!ready && last?.port === port && last.conflicts !== true)
        await this.registration.confirm(service, address, new Date());
      else await this.registration.register(service, address, new Date());
    } catch (error) {
      if (!(error instanceof LlmkubeError) || error.code !== 'ENDPOINT_NAME_CONFLICT') {
        if (last === undefined) this.#registered.delete(uid);
        else this.#registered.set(uid, last);
        throw error;
      }
      this.#registered.set(uid, { port, ready, atMs: now, conflicts: true });
      if (last?.conflicts !== true) this.#event(service, 'Warning', 'EndpointNameConflict', error.message);
    }
  }

  async withdraw(service: InferenceServiceResource): Promise<void> {
    this.#registered.delete(service.metadata.uid ?? '');
    await this.registration?.withdraw(service);
  }

  /** Nothing of it runs here any more. */
  async release(service: InferenceServiceResource, why: string): Promise<void> {
    await this.withdraw(service);
    this.writer.forget(service);
    this.#requirements.delete(service.metadata.uid ?? '');
    this.#verdicts.delete(service.metadata.uid ?? '');
    if (why === 'deleted') return;
    const { claimedBy, heartbeat } = CLAIM_ANNOTATIONS;
    const phase = STOPPED_PHASES[why];
    const stopped = { conditions: [], readyReplicas: 0, desiredReplicas: 0 };
    await this.writer.say(service, phase === undefined ? { conditions: [] } : { ...stopped, phase });
    await this.writer.annotate(service, { [claimedBy]: null, [heartbeat]: null, [REQUIREMENT]: null });
  }

  crashed(service: InferenceServiceResource | undefined, key: string, text: string): void {
    this.log.warn('crashed', { service: key, reason: text });
    this.#event(service, 'Warning', 'ServerEnded', text);
  }

  evicted(service: InferenceServiceResource | undefined, key: string, text: string): void {
    this.log.warn('evicted', { service: key, reason: text });
    this.#event(service, 'Warning', 'Evicted', text);
  }

  proof(service: InferenceServiceResource | undefined, key: string, { proof, isOff, build }: Proven): void {
    if (!isOff) return;
    const { measuredBytes, estimatedBytes } = proof;
    this.log.warn('estimate off', { service: key, measuredBytes, estimatedBytes, build });
    const message = `llama.cpp ${build ?? 'of unknown build'} allocated ${measuredBytes} bytes, ${estimatedBytes} were estimated`;
    this.#event(service, 'Warning', 'EstimateOff', message);
  }

  async #requirement(
    service: InferenceServiceResource,
    record: Pick<ServerRecord, 'estimate'> | undefined,
  ): Promise<void> {
    const { uid = '' } = service.metadata;
    const text = record === undefined ? null : requirementText(record.estimate);
    if (this.#requirements.get(uid) === text) return;
    if ((service.metadata.annotations?.[REQUIREMENT] ?? null) !== text)
      await this.writer.annotate(service, { [REQUIREMENT]: text });
    this.#requirements.set(uid, text);
  }

  /** An event that is lost is no reason to do anything again. */
  #event(service: InferenceServiceResource | undefined, type: EventType, reason: string, message: string): void {
    if (service === undefined) return;
    this.writer.event(service, type, reason, message).catch((error: unknown) => {
      this.log.debug('event lost', problem(error));
    });
  }
}

const REQUIREMENT = CLAIM_ANNOTATIONS.memoryRequired;

const STOPPED_PHASES: Readonly<Record<string, string>> = { suspended: 'Suspended', 'scaled-to-zero': 'Stopped' };
