import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as Whole from '@kubernetes/client-node';

type ClientNode = Pick<typeof Whole, 'KubeConfig'>;

/** What reads kubeconfigs, and no more, as the build has bundled it. */
const BUNDLE = new URL('../../quick/bundle/kube-config.js', import.meta.url);

/**
 * `KubeConfig` of @kubernetes/client-node. The package itself loads a class for every kind of Kubernetes, which takes an agent 65 MB for as
 * long as it runs, and a command 0.4 s.
 */
export async function clientNode(): Promise<ClientNode> {
  if (!existsSync(fileURLToPath(BUNDLE))) return import('@kubernetes/client-node');
  return (await import(BUNDLE.href)) as ClientNode;
}
