import { isIPv6 } from 'node:net';
import { ClusterError } from '../../errors.js';
import type { InferenceServiceResource } from '../../kube/client/api.js';
import { CORE, objectPath, type ObjectCalls, type PlainObject } from '../../kube/client/object-calls.js';
import { SERVICE_PORT } from '../../kube/resources.js';
import { apiTime } from '../core/api-time.js';
import { AGENT_MANAGER } from './service-writer.js';

/** Where a service answers, and whether it does. */
export interface Address {
  readonly ip: string;
  readonly port: number;
  readonly ready: boolean;
}

const LABELS = {
  managedBy: 'llmkube.ai/managed-by',
  service: 'llmkube.ai/inference-service',
} as const;
/** As the operator knows agents' objects. */
const MANAGED_BY = 'metal-agent';

const BY_AGENT = { manager: AGENT_MANAGER, force: true };

/** The name of a Service has no dots. */
function registeredName({ metadata: { name } }: InferenceServiceResource): string {
  return name.replaceAll('.', '-');
}

/**
 * The Service and the EndpointSlice by which the cluster reaches a process on this host: the direct endpoints of LLMKube 0.9, which
 * an operator of 0.10 counts too.
 */
export class Registration {
  constructor(
    private readonly objects: ObjectCalls,
    private readonly version: string,
  ) {}

  /** @throws ClusterError ENDPOINT_NAME_CONFLICT for a Service or slice of that name that is not this service's */
  async register(service: InferenceServiceResource, address: Address, now: Date): Promise<void> {
    const [servicePath, slicePath] = paths(service);
    for (const path of [servicePath, slicePath]) refuseOthers(service, await this.objects.get(path));
    const metadata = metadataOf(service);
    const ports = [{ name: 'http', protocol: 'TCP', port: SERVICE_PORT, targetPort: address.port }];
    const spec = { type: 'ClusterIP', ports };
    await this.objects.apply(servicePath, { apiVersion: 'v1', kind: 'Service', metadata, spec }, BY_AGENT);
    await this.confirm(service, address, now);
  }

  /** Says of what was registered whether it answers. */
  async confirm(service: InferenceServiceResource, address: Address, now: Date): Promise<void> {
    const [, slicePath] = paths(service);
    await this.objects.apply(slicePath, this.#slice(service, metadataOf(service), address, now), BY_AGENT);
  }

  /** Removes what is this service's own; what is missing or somebody else's is left. */
  async withdraw(service: InferenceServiceResource): Promise<void> {
    for (const path of paths(service).reverse()) {
      const found = await this.objects.get(path);
      if (found !== undefined && isOwn(service, found)) await this.objects.delete(path, found.metadata.uid);
    }
  }

  #slice(service: InferenceServiceResource, metadata: PlainObject['metadata'], address: Address, now: Date) {
    return {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, 'kubernetes.io/service-name': metadata.name },
        annotations: {
          'llmkube.ai/agent-heartbeat': apiTime(now),
          'llmkube.ai/agent-version': this.version,
        },
      },
      addressType: isIPv6(address.ip) ? 'IPv6' : 'IPv4',
      endpoints: [
        {
          addresses: [address.ip],
          conditions: { ready: address.ready },
          targetRef: { kind: 'Pod', name: `${service.metadata.name}-metal`, namespace: metadata.namespace },
        },
      ],
      ports: [{ name: 'http', protocol: 'TCP', port: address.port }],
    };
  }
}

function metadataOf(service: InferenceServiceResource) {
  return {
    name: registeredName(service),
    namespace: service.metadata.namespace,
    labels: {
      app: service.metadata.name,
      [LABELS.managedBy]: MANAGED_BY,
      [LABELS.service]: service.metadata.name,
    },
    ownerReferences: [ownerReference(service)],
  };
}

function paths(service: InferenceServiceResource): [servicePath: string, slicePath: string] {
  const { namespace } = service.metadata;
  const name = registeredName(service);
  return [
    objectPath(CORE, namespace, 'services', name),
    objectPath('/apis/discovery.k8s.io/v1', namespace, 'endpointslices', name),
  ];
}

function ownerReference({ apiVersion, kind, metadata: { name, uid } }: InferenceServiceResource) {
  return { apiVersion, kind, name, uid, controller: false, blockOwnerDeletion: false };
}

/** One that an agent made for this very service, or for an earlier one of its name. */
function isOwn({ metadata }: InferenceServiceResource, { metadata: found }: PlainObject): boolean {
  return found.labels?.[LABELS.managedBy] === MANAGED_BY && found.labels[LABELS.service] === metadata.name;
}

function refuseOthers(service: InferenceServiceResource, found: PlainObject | undefined): void {
  if (found === undefined || isOwn(service, found)) return;
  const { kind, metadata } = found;
  throw new ClusterError(
    'ENDPOINT_NAME_CONFLICT',
    `there is a ${kind} "${metadata.name}" in ${service.metadata.namespace} that is not this service's, so it cannot be registered`,
    { suggestions: ['remove it, or give the InferenceService another name'] },
  );
}
