import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../lib/cli/base-command.js';
import { clusterChoice } from '../lib/cli/deploy/cluster-choice.js';
import { clusterFlags } from '../lib/cli/flags/cluster-flags.js';
import { connect } from '../lib/kube/client/client.js';
import { modelsJson, servicesJson } from '../lib/report/json/deployment-json.js';
import { modelsTable, servicesTable } from '../lib/report/text/inventory-text.js';

export default class List extends BaseCommand {
  static override aliases = ['ls'];
  static override args = {
    resource: Args.string({
      default: 'services',
      description: 'what to list',
      ignoreStdin: true,
      options: ['services', 'models'],
    }),
  };
  static override description = 'Works as "kubectl llmkube list" too.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> models -n team-a',
    '<%= config.bin %> <%= command.id %> --all-namespaces --json',
  ];
  static override flags = {
    ...clusterFlags,
    'all-namespaces': Flags.boolean({ char: 'A', description: 'in every namespace', helpGroup: 'CLUSTER' }),
  };
  static override summary = 'list the deployed services or models';

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(List);
    const namespace = flags['all-namespaces'] ? undefined : flags.namespace;
    const client = await connect(clusterChoice(flags));
    const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`;
    if (args.resource === 'models') {
      const models = await client.list('Model', namespace);
      if (models.length === 0) this.notice(`No models in ${where}`);
      else this.log(modelsTable(models, flags['all-namespaces'], new Date()));
      return modelsJson(models);
    }
    const services = await client.list('InferenceService', namespace);
    if (services.length === 0) this.notice(`No services in ${where}`);
    else this.log(servicesTable(services, flags['all-namespaces']));
    return servicesJson(services);
  }
}
