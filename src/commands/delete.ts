import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.js';
import { clusterChoice } from '../lib/cli/deploy/cluster-choice.js';
import { clusterFlags } from '../lib/cli/flags/cluster-flags.js';
import { connect } from '../lib/kube/client/client.js';
import { cacheKeyOf, deleteDeployment } from '../lib/kube/inventory.js';
import { deletionLine } from '../lib/report/text/inventory-text.js';

export default class Delete extends BaseCommand {
  static override aliases = ['rm', 'del'];
  static override args = {
    name: Args.string({ description: 'name of the deployment', ignoreStdin: true, required: true }),
  };
  static override description = `Deletes the InferenceService, and the Model of the same name unless other services use it. \
Works as "kubectl llmkube delete" too.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b',
    '<%= config.bin %> <%= command.id %> qwen-coder-32b -n team-a',
  ];
  static override flags = {
    ...clusterFlags,
    'purge-cache': Flags.boolean({ description: "say how to remove the model's file from the operator's cache" }),
  };
  static override summary = 'delete a deployment';

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Delete);
    const client = await connect(clusterChoice(flags));
    const key = flags['purge-cache'] ? await cacheKeyOf(client, flags.namespace, args.name) : undefined;
    const deletions = await deleteDeployment(client, flags.namespace, args.name);
    for (const deletion of deletions) this.log(deletionLine(deletion));
    if (flags['purge-cache']) this.log(purgeText(key));
    return { deletions, cacheKey: key ?? null };
  }
}

function purgeText(key: string | undefined): string {
  if (key === undefined) return 'The operator keeps no file of this model.';
  return `To remove its file from the cache:\n  kubectl exec -n llmkube-system deploy/llmkube-controller-manager -- rm -rf /models/${key}`;
}
