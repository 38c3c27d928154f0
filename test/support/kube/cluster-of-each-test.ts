import { afterEach, beforeEach } from '@jest/globals';
import { KubeApi, type KubeApiOptions } from './kube-api.js';
import { writeKubeconfig } from './kubeconfig-file.js';

export interface TestCluster {
  readonly api: KubeApi;
  /** Leads there. */
  readonly kubeconfig: string;
}

/** An imitation of a cluster, a new one for each test of the file, or of the `describe`, that this is called in. */
export function clusterOfEachTest(options: KubeApiOptions = {}): TestCluster {
  const cluster = {} as { -readonly [Field in keyof TestCluster]: TestCluster[Field] };
  beforeEach(async () => {
    cluster.api = await KubeApi.start(options);
    cluster.kubeconfig = await writeKubeconfig({ double: { server: cluster.api.url } });
  });
  afterEach(() => cluster.api.close());
  return cluster;
}
