import type { ClusterChoice } from '../../kube/client/kubeconfig.js';
import { proxyFor } from '../../source/http/proxies.js';

interface ClusterFlagValues {
  readonly kubeconfig?: string | undefined;
  readonly 'kube-context'?: string | undefined;
}

/** The cluster that the flags and the environment mean. */
export function clusterChoice(flags: ClusterFlagValues): ClusterChoice {
  return {
    kubeconfig: flags.kubeconfig,
    context: flags['kube-context'],
    proxyFor: (server) => proxyFor(server, process.env),
  };
}
