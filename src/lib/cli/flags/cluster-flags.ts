import * as Flags from '@oclif/core/flags';

const HELP_GROUP = 'CLUSTER';

/** The namespace that the deploys of older versions went to when none was named, whatever the kubeconfig said. */
const DEFAULT_NAMESPACE = 'default';

/** Which cluster and where in it, for every command that talks to one. */
export const clusterFlags = {
  namespace: Flags.string({
    char: 'n',
    default: DEFAULT_NAMESPACE,
    description: 'namespace of the resources',
    env: 'LLMKUBE_NAMESPACE',
    helpGroup: HELP_GROUP,
  }),
  kubeconfig: Flags.string({
    description: 'kubeconfig file (default: those of KUBECONFIG, ~/.kube/config, or the service account of the pod)',
    helpGroup: HELP_GROUP,
    helpValue: 'FILE',
  }),
  'kube-context': Flags.string({
    description: "the kubeconfig's context (--context is the model's)",
    env: 'LLMKUBE_KUBE_CONTEXT',
    helpGroup: HELP_GROUP,
    helpValue: 'NAME',
  }),
};
