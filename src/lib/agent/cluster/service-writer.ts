import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { ClusterError } from '../../errors.js';
import { API_GROUP, API_VERSION, type Condition, type InferenceServiceResource } from '../../kube/client/api.js';
import type { KubeClient } from '../../kube/client/client.js';
import { CORE, objectPath } from '../../kube/client/object-calls.js';
import { apiTime } from '../core/api-time.js';

/** Owner of what an agent writes. */
export const AGENT_MANAGER = 'llmkube-agent';

/** The part of a service's status that an agent speaks for. */
export interface OwnStatus {
  readonly conditions: readonly Condition[];
  readonly schedulingStatus?: string;
  readonly schedulingMessage?: string;
  readonly phase?: string;
  readonly readyReplicas?: number;
  readonly desiredReplicas?: number;
}

export type EventType = 'Normal' | 'Warning';

/** What an agent writes about services; each call may fail with a ClusterError and be made again. */
export class ServiceWriter {
  readonly #said = new Map<string, OwnStatus>();

  constructor(
    private readonly client: KubeClient,
    private readonly agentId: string,
  ) {}

  /**
   * Takes a service, on condition that nobody has changed it since it was read.
   * @returns the service as it is then; undefined when somebody was quicker
   */
  async claim(
    service: InferenceServiceResource,
    annotations: Readonly<Record<string, string>>,
  ): Promise<InferenceServiceResource | undefined> {
    const { resourceVersion } = service.metadata;
    try {
      return await this.#annotate(service, { resourceVersion, annotations });
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'CONFLICT') return undefined;
      throw error;
    }
  }

  /** @param annotations null removes one */
  annotate(
    service: InferenceServiceResource,
    annotations: Readonly<Record<string, string | null>>,
  ): Promise<InferenceServiceResource | undefined> {
    return this.#annotate(service, { annotations });
  }

  /**
   * Says it by server-side apply, only when it is not what was said last or somebody has removed the condition: the operator
   * overwrites the scheduling fields, and two who correct each other never end.
   */
  async say(service: InferenceServiceResource, status: OwnStatus): Promise<void> {
    const { uid = '' } = service.metadata;
    if (this.#hasSaid(uid, status) && status.conditions.every((own) => stands(service, own))) return;
    const { name, namespace } = service.metadata;
    const object = {
      apiVersion: `${API_GROUP}/${API_VERSION}`,
      kind: 'InferenceService',
      metadata: { name, namespace },
      status,
    };
    await this.client.objects.apply(`${pathOf(service)}/status`, object, { manager: AGENT_MANAGER, force: true });
    this.#said.set(uid, status);
  }

  /** But for the time of a transition, which is known only from what the cluster has. */
  #hasSaid(uid: string, status: OwnStatus): boolean {
    const timeless = (said: OwnStatus) => ({
      ...said,
      conditions: said.conditions.map((condition) => ({ ...condition, lastTransitionTime: '' })),
    });
    const said = this.#said.get(uid);
    return said !== undefined && isDeepStrictEqual(timeless(said), timeless(status));
  }

  forget({ metadata: { uid = '' } }: InferenceServiceResource): void {
    this.#said.delete(uid);
  }

  async event(service: InferenceServiceResource, type: EventType, reason: string, message: string): Promise<void> {
    const { name, namespace, uid, resourceVersion } = service.metadata;
    const now = apiTime(new Date());
    const { apiVersion, kind } = service;
    await this.client.objects.create(objectPath(CORE, namespace, 'events'), {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
      involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
      type,
      reason,
      message: message.slice(0, LONGEST_EVENT),
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      source: { component: AGENT_MANAGER, host: this.agentId },
      reportingComponent: AGENT_MANAGER,
      reportingInstance: this.agentId,
    });
  }

  async #annotate(service: InferenceServiceResource, metadata: object): Promise<InferenceServiceResource | undefined> {
    const answer = await this.client.objects.merge(pathOf(service), { metadata }, AGENT_MANAGER);
    return answer as unknown as InferenceServiceResource | undefined;
  }
}

/** What the API takes. */
const LONGEST_EVENT = 1024;

function stands({ status }: InferenceServiceResource, own: Condition): boolean {
  return status?.conditions?.some(({ type, reason }) => type === own.type && reason === own.reason) === true;
}

function pathOf({ metadata: { name, namespace } }: InferenceServiceResource): string {
  return objectPath(`/apis/${API_GROUP}/${API_VERSION}`, namespace, 'inferenceservices', name);
}
