import { cleanText } from '../../kube/client/clean-text.js';
import { isFresh, type HostOverride, type HostReport } from '../../kube/hosts.js';
import { formatSize } from '../words/bytes.js';
import { alignColumns } from '../layout/columns.js';

/** A line for each host of the cluster. */
export function hostsText(hosts: readonly HostReport[], now: Date): string {
  if (hosts.length === 0) return 'no agent has published its host here';
  const heading = ['HOST', 'ACCELERATOR', 'TOTAL', 'IN USE', 'PROMISED', 'LEFT', 'LLAMA.CPP', 'SERVICES', 'HEARD'];
  const rows = hosts.map((host) => [
    cleanText(host.agent),
    cleanText(host.accelerator),
    formatSize(host.totalBytes),
    formatSize(host.inUseBytes),
    formatSize(host.promisedBytes),
    formatSize(Math.max(0, host.budgetBytes)),
    cleanText(host.build ?? '?'),
    String(host.services.length),
    isFresh(host, now) ? 'yes' : `not since ${cleanText(host.heartbeat)}`,
  ]);
  const own = hosts.flatMap(({ agent, overrides = [] }) => overrides.map((one) => overrideLine(agent, one)));
  return [...alignColumns([heading, ...rows], [], '   '), ...(own.length > 0 ? ['', ...own] : [])].join('\n');
}

/** What is left of the host's budget does not hold for such a service. */
function overrideLine(agent: string, { service, from, budgetBytes }: HostOverride): string {
  const left = formatSize(Math.max(0, budgetBytes));
  return `${cleanText(service)} on ${cleanText(agent)}: ${left} left, by ${cleanText(from)}`;
}
