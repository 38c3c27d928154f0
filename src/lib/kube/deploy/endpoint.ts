import type { InferenceServiceResource } from '../client/api.js';
import type { ClusterChoice } from '../client/kubeconfig.js';

/** Where a service answers, and commands to try it. */
export interface Endpoint {
  /** As the cluster reports it; reachable inside the cluster. */
  readonly url: string;
  /** To be run in this order. */
  readonly tryIt: readonly string[];
}

const LOCAL_PORT = 8080;

const TEST_BODIES = {
  chat: '{"messages":[{"role":"user","content":"What is 2+2?"}]}',
  embedding: '{"input":"hello"}',
  rerank: '{"query":"capital of France","documents":["Paris","Berlin"]}',
} as const;

/**
 * @param metal the server runs on a Mac outside the cluster, so there is no pod whose port could be forwarded
 */
export function describeEndpoint(
  { metadata: { name, namespace }, spec, status }: InferenceServiceResource,
  { metal, kubeconfig, context }: ClusterChoice & { readonly metal: boolean },
): Endpoint {
  const service = name.replaceAll('.', '-');
  const { port, path } = spec.endpoint;
  const url = status?.endpoint || `http://${service}.${namespace}.svc.cluster.local:${port}${path}`;
  const kubectl = [
    'kubectl',
    ...(kubeconfig ? ['--kubeconfig', kubeconfig] : []),
    ...(context ? ['--context', context] : []),
  ];
  const call = (target: string) =>
    `curl ${target} -H 'Content-Type: application/json' -d '${TEST_BODIES[spec.mode ?? 'chat']}'`;
  if (metal) {
    const pod = `run -n ${namespace} llmkube-test --rm -i --restart=Never --image=curlimages/curl --`;
    return { url, tryIt: [`${kubectl.join(' ')} ${pod} ${call(url)}`] };
  }
  return {
    url,
    tryIt: [
      `${kubectl.join(' ')} port-forward -n ${namespace} svc/${service} ${LOCAL_PORT}:${port}`,
      call(`http://localhost:${LOCAL_PORT}${path}`),
    ],
  };
}
