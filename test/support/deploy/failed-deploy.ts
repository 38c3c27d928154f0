import { expect } from '@jest/globals';
import { ClusterError } from '../../../src/lib/errors.js';
import { deployToCluster } from '../../../src/lib/kube/deploy/deploy.js';
import type { DeployPlan } from '../../../src/lib/kube/deploy/deploy-plan.js';
import { planFor } from './deploy-plans.js';
import { KubeApi, type KubeApiOptions } from '../kube/kube-api.js';
import { writeKubeconfig, type ClusterEntry } from '../kube/kubeconfig-file.js';

/** How a deploy fails on a cluster of its own, which is gone afterwards; `prepare` sees it before. */
export async function failedDeploy(
  options: KubeApiOptions,
  entry: Partial<ClusterEntry> = {},
  plan: Partial<DeployPlan> = {},
  prepare: (api: KubeApi) => void = () => undefined,
): Promise<ClusterError> {
  const api = await KubeApi.start(options);
  try {
    prepare(api);
    const kubeconfig = await writeKubeconfig({ double: { server: api.url, ...entry } });
    const outcome = await deployToCluster(planFor(plan), { kubeconfig, wait: false, timeoutMs: 1000 }).catch(
      (error: unknown) => error,
    );
    expect(outcome).toBeInstanceOf(ClusterError);
    expect((outcome as ClusterError).exitCode).toBe(4);
    return outcome as ClusterError;
  } finally {
    await api.close();
  }
}
