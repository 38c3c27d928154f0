import { API_GROUP } from '../../kube/client/api.js';

/** Where an agent works. */
export interface AgentScope {
  /** Unset = all namespaces. */
  readonly namespace: string | undefined;
  /** Of the agent's ServiceAccount. */
  readonly accountNamespace: string;
}

const NAME = 'llmkube-agent';

/** The least that an agent needs, each rule for what it does. */
const RULES = [
  { apiGroups: [API_GROUP], resources: ['inferenceservices'], verbs: ['get', 'list', 'watch', 'patch'] },
  { apiGroups: [API_GROUP], resources: ['inferenceservices/status'], verbs: ['patch'] },
  { apiGroups: [API_GROUP], resources: ['models'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['services'], verbs: ['get', 'create', 'patch', 'delete'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch'] },
];

/** ServiceAccount, its token, and the rights of an agent, ready to be applied. */
export function agentManifests({
  namespace,
  accountNamespace,
}: AgentScope): readonly Readonly<Record<string, unknown>>[] {
  const labels = { 'app.kubernetes.io/name': NAME, 'app.kubernetes.io/managed-by': 'llmkube' };
  const own = { name: NAME, namespace: accountNamespace, labels };
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own };
  const token = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...own, annotations: { 'kubernetes.io/service-account.name': NAME } },
    type: 'kubernetes.io/service-account-token',
  };
  const [role, binding] = namespace === undefined ? ['ClusterRole', 'ClusterRoleBinding'] : ['Role', 'RoleBinding'];
  const scoped = { name: NAME, ...(namespace !== undefined && { namespace }), labels };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    account,
    token,
    { apiVersion, kind: role, metadata: scoped, rules: RULES },
    {
      ...{ apiVersion, kind: binding, metadata: scoped },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role, name: NAME },
      subjects: [{ kind: 'ServiceAccount', name: NAME, namespace: accountNamespace }],
    },
  ];
}
