import { BaseCommand } from '../lib/cli/base-command.js';
import { clusterChoice } from '../lib/cli/deploy/cluster-choice.js';
import { clusterFlags } from '../lib/cli/flags/cluster-flags.js';
import { connect } from '../lib/kube/client/client.js';
import { HOST_LABEL, readHostReport } from '../lib/kube/hosts.js';
import { hostsText, isFresh } from '../lib/report/text/hosts-text.js';

export default class Hosts extends BaseCommand {
  static override description = `What each agent has published of its host: memory, what is in use and promised, what is left of its budget, its llama.cpp
and its services. Nothing is asked of the hosts themselves.`;
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -n models --json',
  ];
  static override flags = clusterFlags;
  static override summary = 'list the hosts whose agents run services of the cluster';

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Hosts);
    const client = await connect(clusterChoice(flags));
    const path = `/api/v1/namespaces/${encodeURIComponent(flags.namespace)}/configmaps`;
    const found = await client.objects.list(path, { labelSelector: HOST_LABEL });
    const hosts = found.map(readHostReport).filter((host) => host !== undefined);
    const now = new Date();
    this.log(hostsText(hosts, now));
    return { hosts: hosts.map((host) => ({ ...host, fresh: isFresh(host, now) })) };
  }
}
