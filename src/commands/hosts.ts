import { BaseCommand } from '../lib/cli/base-command.js';
import { clusterChoice } from '../lib/cli/deploy/cluster-choice.js';
import { clusterFlags } from '../lib/cli/flags/cluster-flags.js';
import { connect } from '../lib/kube/client/client.js';
import { isFresh, listHosts, type HostReport } from '../lib/kube/hosts.js';
import { hostsText } from '../lib/report/text/hosts-text.js';

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
    const hosts = await listHosts(client.objects, flags.namespace);
    const now = new Date();
    this.log(hostsText(hosts, now));
    return { hosts: hosts.map((host) => ({ ...publicFigures(host), fresh: isFresh(host, now) })) };
  }
}

/** What the check of another launch needs is for programs that make one. */
function publicFigures(host: HostReport): Omit<HostReport, 'check' | 'instance' | 'ended'> {
  const { check, instance, ended, ...shown } = host;
  void check;
  void instance;
  void ended;
  return shown;
}
