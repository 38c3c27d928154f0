import * as Flags from '@oclif/core/flags';
import { agentManifests } from '../../lib/agent/setup/agent-manifests.js';
import { BaseCommand } from '../../lib/cli/base-command.js';
import { checkNamespace } from '../../lib/kube/bounds.js';

export default class AgentManifests extends BaseCommand {
  static override description = 'A ServiceAccount with its token, and the least rights that an agent needs.';
  static override examples = ['<%= config.bin %> <%= command.id %> -n models | kubectl apply -f -'];
  static override flags = {
    namespace: Flags.string({
      char: 'n',
      default: 'default',
      description: 'namespace whose services the agent runs; empty = all',
    }),
    'account-namespace': Flags.string({
      description: 'namespace of the ServiceAccount (default: that of the services, or default)',
    }),
  };
  static override summary = 'print what an agent needs in the cluster';

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AgentManifests);
    const namespace = flags.namespace === '' ? undefined : flags.namespace;
    const accountNamespace = flags['account-namespace'] ?? namespace ?? 'default';
    for (const name of [namespace, accountNamespace]) if (name !== undefined) checkNamespace(name);
    const manifests = agentManifests({ namespace, accountNamespace });
    const { dump } = await import('js-yaml');
    this.write(manifests.map((manifest) => dump(manifest, { noRefs: true }).trimEnd()).join('\n---\n'));
    return manifests;
  }
}
