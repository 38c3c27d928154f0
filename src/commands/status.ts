import * as Args from '@oclif/core/args';
import { BaseCommand } from '../lib/cli/base-command.js';
import { clusterChoice } from '../lib/cli/deploy/cluster-choice.js';
import { clusterFlags } from '../lib/cli/flags/cluster-flags.js';
import { connect } from '../lib/kube/client/client.js';
import { readDeployment } from '../lib/kube/inventory.js';
import { deploymentJson } from '../lib/report/json/deployment-json.js';
import { deploymentText } from '../lib/report/text/inventory-text.js';

export default class Status extends BaseCommand {
  static override args = {
    name: Args.string({ description: 'name of the deployment', ignoreStdin: true, required: true }),
  };
  static override description = 'Works as "kubectl llmkube status" too.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen-coder-32b',
    '<%= config.bin %> <%= command.id %> qwen-coder-32b -n team-a --json',
  ];
  static override flags = clusterFlags;
  static override summary = 'show a deployment: what was estimated beside what the cluster reports';

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Status);
    const client = await connect(clusterChoice(flags));
    const deployment = await readDeployment(client, flags.namespace, args.name);
    this.log(deploymentText(deployment));
    return deploymentJson(deployment);
  }
}
