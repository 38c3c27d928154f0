import type { InferredFlags } from '@oclif/core/interfaces';
import type { ClusterChoice } from '../../kube/client/kubeconfig.js';
import type { clusterFlags } from '../flags/cluster-flags.js';
import { proxyFor } from '../../source/http/proxies.js';

/** The cluster that the flags and the environment mean. */
export function clusterChoice(
  flags: Partial<Pick<InferredFlags<typeof clusterFlags>, 'kubeconfig' | 'kube-context'>>,
): ClusterChoice {
  return {
    kubeconfig: flags.kubeconfig,
    context: flags['kube-context'],
    proxyFor: (server) => proxyFor(server, process.env),
  };
}
